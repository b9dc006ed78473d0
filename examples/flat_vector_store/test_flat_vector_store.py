"""The store keeps what every vector store promises."""

from __future__ import annotations

from pathlib import Path

from flat_vector_store import FlatVectorStore
from sagaledger.ports import VectorStore
from sagaledger.testing import VectorStoreContract


class TestFlatVectorStore(VectorStoreContract):
    def open_bare_store(self, folder: Path) -> VectorStore:
        return FlatVectorStore(folder / "vectors.db")
