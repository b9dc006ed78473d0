"""Our chunk stores keep what every chunk store promises."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore, MemoryChunkStore
from sagaledger.testing import ChunkStoreContract


class TestLocalFolder(ChunkStoreContract):
    def open_store(self, folder: Path) -> ChunkStore:
        return LocalFolderChunkStore(folder / "chunks")


class TestMemory(ChunkStoreContract):
    durable = False

    def open_store(self, folder: Path) -> ChunkStore:
        return MemoryChunkStore()
