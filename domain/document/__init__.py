"""One document: its identity, its records for the downstream stores, its signed manifest."""
