"""Vector stores: sqlite-vec in one file, or memory."""
