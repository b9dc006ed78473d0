"""The port of embedders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["Embedder"]


class Embedder(Protocol):
    """Turns passages into vectors. The same text always gives the same vector."""

    @property
    def identity(self) -> EmbedderIdentity:
        """The name and dimension that are stored with the vectors."""

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """One vector per text: unit length or zero, as little-endian 32-bit floats."""
