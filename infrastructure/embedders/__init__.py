"""Embedders turn passages into vectors.

`hashing` has no dependencies and finds texts that share words. `minilm` is a language model that
finds texts with a similar meaning; it needs the extra `embeddings`.
"""

from __future__ import annotations

from collections.abc import Callable

from sagaledger.domain.ports.embedder import Embedder

__all__ = ["EMBEDDER_NAMES", "open_embedder"]


def open_embedder(name: str) -> Embedder:
    """The embedder called `hashing` or `minilm`; nothing heavy is imported before it is used.

    Raises:
        EmbedderUnavailableError: what it needs is not installed.
        ValueError: no embedder has this name.
    """
    if name not in _OPENERS:
        raise ValueError(f"unknown embedder {name!r}; choose one of: {', '.join(EMBEDDER_NAMES)}")
    return _OPENERS[name]()


def _hashing() -> Embedder:
    from sagaledger.infrastructure.embedders.hashing import HashingEmbedder

    return HashingEmbedder()


def _minilm() -> Embedder:
    from sagaledger.infrastructure.embedders.minilm import MiniLmEmbedder

    return MiniLmEmbedder()


_OPENERS: dict[str, Callable[[], Embedder]] = {"hashing": _hashing, "minilm": _minilm}

EMBEDDER_NAMES = tuple(_OPENERS)
"""What `open_embedder` accepts."""
