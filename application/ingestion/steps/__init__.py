"""The nine steps of an ingestion, one per module."""
