"""Our embedders keep what every embedder promises."""

from __future__ import annotations

from sagaledger.domain.ports.embedder import Embedder
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.testing import EmbedderContract


class TestHashing(EmbedderContract):
    def open_embedder(self) -> Embedder:
        return HashingEmbedder()
