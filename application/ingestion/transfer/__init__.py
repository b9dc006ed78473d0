"""How bytes move: threads, blocks, chunks, and the reading back of them."""
