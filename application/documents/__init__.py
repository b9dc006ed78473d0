"""What becomes of committed documents: read, verified, searched, deleted."""
