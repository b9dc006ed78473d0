"""A chunk store in memory, with the semantics of every other one, for tests and embedding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.infrastructure.chunk_stores.keys import check_key, check_prefix

if TYPE_CHECKING:
    from sagaledger.domain.ports.buffer import Buffer

__all__ = ["MemoryChunkStore"]


class MemoryChunkStore:
    """A chunk store that lives as long as its process."""

    def __init__(self) -> None:
        self._uploads: dict[str, dict[str, tuple[bytes, str]]] = {}
        self._etags = count(1)
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return "chunks"

    @property
    def read_from(self) -> str:
        """Where reads come from, as text for the log."""
        return "memory"

    def open_prefix(self, prefix: str) -> None:
        """Open the prefix of an upload. Idempotent."""
        with self._lock:
            self._uploads.setdefault(check_prefix(prefix), {})

    def create(self, key: str) -> _MemoryChunkWriter:
        """Start writing a chunk.

        Raises:
            StorageBackendError: the upload's prefix is not open.
        """
        upload_id, _ = check_key(key)
        with self._lock:
            if upload_id not in self._uploads:
                raise StorageBackendError("chunks", "create", "the upload's prefix is not open")
        return _MemoryChunkWriter(self, key)

    def flush(self, prefix: str) -> None:
        """Do nothing: memory does not survive a power loss."""
        check_prefix(prefix)

    def open(self, key: str) -> BinaryIO:
        """Open the stored bytes.

        Raises:
            ChunkMissingError: the chunk does not exist.
        """
        upload_id, index = check_key(key)
        with self._lock:
            stored = self._uploads.get(upload_id, {}).get(index)
        if stored is None:
            raise ChunkMissingError(key)
        return io.BytesIO(stored[0])

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """List the committed chunks under a prefix, ordered by key."""
        with self._lock:
            found = sorted(self._uploads.get(check_prefix(prefix), {}).items())
        for index, (stored, etag) in found:
            yield StoredChunk(prefix + index, len(stored), etag)

    def delete(self, key: str) -> bool:
        """Remove a chunk. Returns False if it does not exist."""
        upload_id, index = check_key(key)
        with self._lock:
            return self._uploads.get(upload_id, {}).pop(index, None) is not None

    def close_prefix(self, prefix: str) -> None:
        """Close the empty prefix of an upload. Idempotent."""
        with self._lock:
            upload_id = check_prefix(prefix)
            if self._uploads.get(upload_id):
                raise StorageBackendError("chunks", "remove folder", "chunks are still there")
            self._uploads.pop(upload_id, None)

    def prefixes(self) -> Iterator[str]:
        """List every open prefix."""
        with self._lock:
            names = sorted(self._uploads)
        return (f"{name}/" for name in names)

    def put(self, key: str, content: bytes) -> str:
        """Store a whole chunk at once, when its writer commits. Returns the ETag."""
        upload_id, index = check_key(key)
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise StorageBackendError("chunks", "write", "the upload's prefix is not open")
            if index in upload:
                raise ChunkExistsError(key)
            etag = str(next(self._etags))
            upload[index] = content, etag
            return etag


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
