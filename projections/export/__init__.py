"""Export of read models to files."""
