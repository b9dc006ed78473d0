"""Embedders: what turns a passage into a vector.

`hashing` needs nothing and finds shared words; `minilm` is a language model that finds shared
meaning, and needs the extra `embeddings`.
"""
