"""The nine steps of an ingestion, one a file."""
