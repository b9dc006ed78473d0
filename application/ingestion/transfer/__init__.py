"""Transfer of bytes: threads, blocks, chunks, and their read-back."""
