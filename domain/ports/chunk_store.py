"""The port of the chunk store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sagaledger.domain.upload.stored_chunk import StoredChunk

if TYPE_CHECKING:
    from sagaledger.domain.ports.buffer import Buffer

__all__ = ["ChunkStore", "ChunkWriter"]


class ChunkWriter(Protocol):
    """Writes one chunk. Exactly one of `commit` and `abort` ends it."""

    def write(self, block: Buffer) -> None:
        """Append bytes to the chunk."""

    def commit(self) -> str:
        """Make the bytes durable under the key; `ChunkStore.flush` then makes the key durable.

        Returns:
            The chunk's ETag, as `list` returns it from now on.

        Raises:
            ChunkExistsError: the key is taken. The chunk under it is unchanged, and `commit` may
                be called again once the key is free.
            StorageFullError: the store is full. Nothing is left behind.
            StorageBackendError: the store failed. Nothing that `list` returns is left behind.
        """

    def abort(self) -> None:
        """Discard the bytes. May be called after a failed `commit`."""


class ChunkStore(Protocol):
    """Stores chunks. A key is `<upload id>/<index>`; a prefix is `<upload id>/`.

    A chunk is created once and never overwritten. Threads may call all methods concurrently.
    """

    @property
    def name(self) -> str:
        """The store's name in events and residue."""

    @property
    def read_from(self) -> str:
        """Where reads come from, as text for the log: `disk, page cache dropped`, `memory`, …"""

    def open_prefix(self, prefix: str) -> None:
        """Open the prefix of an upload, durably. Idempotent."""

    def create(self, key: str) -> ChunkWriter:
        """Start writing a chunk.

        Raises:
            StorageBackendError: the prefix is not open, or the store failed.
        """

    def flush(self, prefix: str) -> None:
        """Make every commit and delete under the prefix durable against a power loss."""

    def open(self, key: str) -> BinaryIO:
        """Open the stored bytes as a seekable file. Reads go to the store, not to a cache.

        Raises:
            ChunkMissingError: the chunk does not exist.
        """

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """List the committed chunks under a prefix, ordered by key, without unfinished ones."""

    def delete(self, key: str) -> bool:
        """Remove a chunk. Returns False if it does not exist.

        Raises:
            StorageBackendError: the chunk could not be removed.
        """

    def close_prefix(self, prefix: str) -> None:
        """Remove unfinished chunks and close the empty prefix, durably. Idempotent.

        Raises:
            StorageBackendError: chunks remain, or the prefix cannot be closed.
        """

    def prefixes(self) -> Iterator[str]:
        """List every open prefix."""
