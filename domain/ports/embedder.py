"""The port of embedders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["Embedder"]


class Embedder(Protocol):
    """Turns passages into vectors, the same for the same text."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Name and dimension, stored with the vectors."""

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """A vector of unit length (or zero) per text, as little-endian 32-bit floats."""
