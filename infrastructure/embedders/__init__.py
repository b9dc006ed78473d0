"""Embedders turn passages into vectors.

`hashing` has no dependencies and finds texts that share words. `minilm` is a language model that
finds texts with a similar meaning; it needs the extra `embeddings`.
"""
