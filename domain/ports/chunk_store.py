"""The port of the chunk store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from sagaledger.domain.ports.buffer import Buffer
from sagaledger.domain.upload.stored_chunk import StoredChunk

__all__ = ["ChunkStore", "ChunkWriter"]


class ChunkWriter(Protocol):
    """A chunk that is being written. Exactly one of `commit` and `abort` ends it."""

    def write(self, block: Buffer) -> None:
        """Take more bytes of the chunk."""

    def commit(self) -> str:
        """Make the bytes durable under the key; `ChunkStore.flush` then makes the key durable.

        Returns:
            The chunk's mark, as `list` shows it from now on.

        Raises:
            ChunkExistsError: the key is taken; what it holds is untouched, and `commit` may be
                called again once the key is free.
            StorageFullError: there is no room; no trace is left.
            StorageBackendError: any other failure; no trace is left that `list` shows.
        """

    def abort(self) -> None:
        """Forget the bytes. May be called after a failed `commit`."""


class ChunkStore(Protocol):
    """Where the bytes go. Keys look like `<upload id>/<index>`; a prefix is `<upload id>/`.

    A chunk is created once and never overwritten. Methods may be called from several threads.
    """

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    @property
    def read_from(self) -> str:
        """How real a read is, in words for the log: `disk, page cache dropped`, `memory`, …"""

    def open_prefix(self, prefix: str) -> None:
        """Make the place for an upload's chunks, durably. Idempotent."""

    def create(self, key: str) -> ChunkWriter:
        """Begin a chunk.

        Raises:
            StorageBackendError: the prefix is not open (any more), or the store fails.
        """

    def flush(self, prefix: str) -> None:
        """On return every commit and delete under the prefix survives a power loss."""

    def open(self, key: str) -> BinaryIO:
        """The stored bytes as a seekable file; the read goes to the store, not to a cache.

        Raises:
            ChunkMissingError: there is no such chunk.
        """

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """The committed chunks under a prefix, in order of key. Unfinished ones are not shown."""

    def delete(self, key: str) -> bool:
        """Remove a chunk. False if there was none.

        Raises:
            StorageBackendError: it could not be removed.
        """

    def close_prefix(self, prefix: str) -> None:
        """Remove unfinished chunks and the emptied place of an upload, durably. Idempotent.

        Raises:
            StorageBackendError: chunks are still there, or the place cannot be removed.
        """

    def prefixes(self) -> Iterator[str]:
        """Every prefix that has a place in the store."""
