"""Our vector stores keep what every vector store promises."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.infrastructure.vector_stores.memory import MemoryVectorStore
from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore
from sagaledger.testing import VectorStoreContract


class TestSqliteVec(VectorStoreContract):
    def open_bare_store(self, folder: Path) -> VectorStore:
        return SqliteVecVectorStore(folder / "vectors.sqlite")


class TestMemory(VectorStoreContract):
    durable = False

    def open_bare_store(self, folder: Path) -> VectorStore:
        return MemoryVectorStore()
