"""Chunks in memory, with the semantics of any other store: for tests and for embedding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count
from threading import Lock
from typing import BinaryIO

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.buffer import Buffer
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.infrastructure.chunk_stores.keys import check_key, check_prefix

__all__ = ["MemoryChunkStore"]


class MemoryChunkStore:
    """A chunk store that lasts as long as its process."""

    def __init__(self) -> None:
        self._uploads: dict[str, dict[str, tuple[bytes, str]]] = {}
        self._marks = count(1)
        self._lock = Lock()

    @property
    def name(self) -> str:
        """What events and residue call this store."""
        return "chunks"

    @property
    def read_from(self) -> str:
        """How real a read is."""
        return "memory"

    def open_prefix(self, prefix: str) -> None:
        """Make the place for an upload's chunks. Idempotent."""
        with self._lock:
            self._uploads.setdefault(check_prefix(prefix), {})

    def create(self, key: str) -> _MemoryChunkWriter:
        """Begin a chunk."""
        upload_id, _ = check_key(key)
        with self._lock:
            if upload_id not in self._uploads:
                raise StorageBackendError("chunks", "create", "the upload's place is gone")
        return _MemoryChunkWriter(self, key)

    def flush(self, prefix: str) -> None:
        """Nothing in memory survives a power loss, and nothing is claimed to."""
        check_prefix(prefix)

    def open(self, key: str) -> BinaryIO:
        """The stored bytes."""
        upload_id, index = check_key(key)
        with self._lock:
            stored = self._uploads.get(upload_id, {}).get(index)
        if stored is None:
            raise ChunkMissingError(key)
        return io.BytesIO(stored[0])

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """The committed chunks under a prefix, in order of key."""
        with self._lock:
            found = sorted(self._uploads.get(check_prefix(prefix), {}).items())
        for index, (stored, mark) in found:
            yield StoredChunk(prefix + index, len(stored), mark)

    def delete(self, key: str) -> bool:
        """Remove a chunk. False if there was none."""
        upload_id, index = check_key(key)
        with self._lock:
            return self._uploads.get(upload_id, {}).pop(index, None) is not None

    def close_prefix(self, prefix: str) -> None:
        """Remove the emptied place of an upload. Idempotent."""
        with self._lock:
            upload_id = check_prefix(prefix)
            if self._uploads.get(upload_id):
                raise StorageBackendError("chunks", "remove folder", "chunks are still there")
            self._uploads.pop(upload_id, None)

    def prefixes(self) -> Iterator[str]:
        """Every prefix that has a place."""
        with self._lock:
            names = sorted(self._uploads)
        return (f"{name}/" for name in names)

    def put(self, key: str, content: bytes) -> str:
        """Store a whole chunk at once; the writer's last act. Returns its mark."""
        upload_id, index = check_key(key)
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise StorageBackendError("chunks", "write", "the upload's place is gone")
            if index in upload:
                raise ChunkExistsError(key)
            mark = str(next(self._marks))
            upload[index] = content, mark
            return mark


class _MemoryChunkWriter:
    def __init__(self, store: MemoryChunkStore, key: str) -> None:
        self._store = store
        self._key = key
        self._blocks: list[bytes] = []

    def write(self, block: Buffer) -> None:
        self._blocks.append(bytes(block))

    def commit(self) -> str:
        return self._store.put(self._key, b"".join(self._blocks))

    def abort(self) -> None:
        self._blocks.clear()
