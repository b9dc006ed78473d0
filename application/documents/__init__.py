"""Use cases of committed documents: read, verify, search, delete."""
