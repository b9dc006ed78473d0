"""Chunk stores: a folder on the local disk, or memory."""

from sagaledger.infrastructure.chunk_stores.local_folder import LocalFolderChunkStore
from sagaledger.infrastructure.chunk_stores.memory import MemoryChunkStore

__all__ = ["LocalFolderChunkStore", "MemoryChunkStore"]
