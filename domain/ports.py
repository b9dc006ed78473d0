"""The ports of the core: what it needs from the world to keep history, bytes and time.

The ports of the downstream stores are in `store_ports`. Every adapter of a port passes the port's
one contract suite under `tests/contracts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeAlias
from uuid import UUID

from sagaledger.domain.event_runs import EventRun
from sagaledger.domain.events import Recorded
from sagaledger.domain.saga import Saga
from sagaledger.domain.store_ports import Passage
from sagaledger.domain.upload import Upload
from sagaledger.domain.values import SagaStatus, SourceFingerprint

__all__ = [
    "Buffer",
    "ChunkEncoder",
    "ChunkEncoding",
    "ChunkStore",
    "ChunkWriter",
    "Clock",
    "EventLog",
    "Lease",
    "LeaseStore",
    "OpenSource",
    "PassageSpool",
    "Progress",
    "ProgressCallback",
    "SagaDirectory",
    "SagaSummary",
    "SourceReader",
    "SpaceReserve",
    "StoredChunk",
]

Buffer: TypeAlias = bytes | bytearray | memoryview


class Clock(Protocol):
    """Time, passed in so that tests can own it."""

    def now_us(self) -> int:
        """Wall time in microseconds since the epoch, for people and for delays across restarts."""

    def monotonic_s(self) -> float:
        """Seconds that never go back, for deadlines within a process."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class EventLog(Protocol):
    """The append-only log: many streams, one order over all."""

    def append(self, recorded: Sequence[Recorded]) -> int:
        """Store events of one or more streams in one transaction, durable on return.

        Returns:
            The position of the last of them.

        Raises:
            VersionConflictError: an `originator_version` is taken; nothing was stored.
            EventUnstorableError: an event holds what is not plain data; nothing was stored.
            StorageBackendError: the log cannot be written; nothing was stored.
        """

    def load_saga(self, saga_id: UUID) -> Saga | None:
        """The saga as of its last event, or None if there is none."""

    def load_upload(self, upload_id: UUID) -> Upload | None:
        """The upload as of its last event, or None if there is none.

        Raises:
            EventCorruptError: an event of it cannot be decoded.
            ChunkMetadataCorruptError: the events contradict each other.
        """

    def snapshot_upload(self, upload_id: UUID) -> None:
        """Keep the upload's present state, so that loading it later is short."""

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[Recorded]:
        """The events of one stream in order, with their positions."""

    def version_of(self, stream_id: UUID) -> int:
        """The number of the stream's last event, without decoding it; 0 for none."""

    def read_log(self, after_position: int, limit: int) -> Sequence[Recorded]:
        """Up to `limit` events of all streams after a position, in the order they were stored."""

    def read_runs(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """The events that `read_log` gives, as runs of one type that are never empty.

        Raises:
            EventCorruptError: an event of them cannot be decoded.
        """

    def last_position(self) -> int:
        """The position of the newest event; 0 for an empty log."""

    def close(self) -> None:
        """Release files and connections."""


class ChunkEncoder(Protocol):
    """Turns the plain bytes of one chunk into what is stored."""

    @property
    def name(self) -> str:
        """`raw` or `zstd`, as the log records it."""

    def encode(self, block: Buffer) -> Buffer:
        """The stored form of the next block; may be empty while bytes are held back."""

    def finish(self) -> bytes:
        """The rest of the stored form."""


class ChunkEncoding(Protocol):
    """How chunks may be encoded."""

    def encoder_for(self, compression: str, first_block: Buffer) -> ChunkEncoder:
        """An encoder for a chunk that begins so: compressing only where it pays."""

    def decode(self, encoding: str, stored: BinaryIO) -> BinaryIO:
        """The plain bytes of a stored chunk, as a stream that ends where they end.

        Reading raises StorageBackendError where the stored form is damaged.
        """


class PassageSpool(Protocol):
    """Keeps a document's passages between the steps of one worker; gone after a crash."""

    def store(self, saga_id: UUID, passages: Iterable[Passage]) -> int:
        """Keep the passages in order. Returns how many."""

    def read(self, saga_id: UUID) -> Iterator[Passage] | None:
        """The passages kept for a saga, or None if this worker has none."""

    def discard(self, saga_id: UUID) -> None:
        """Forget them. Idempotent."""


class SpaceReserve(Protocol):
    """Room on the log's disk that is kept for the events of a rollback."""

    def release(self) -> bool:
        """Give the room free. False if it was free already."""

    def restore(self) -> None:
        """Take the room again, if there is enough."""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as its store lists it."""

    key: str
    stored_bytes: int
    mark: str = ""
    """Stays the same as long as the stored bytes do, and changes with them; empty where the store
    cannot tell."""


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


class OpenSource(Protocol):
    """A source file, open for reading and locked against writers that ask."""

    @property
    def fingerprint(self) -> SourceFingerprint:
        """The state of the file now."""

    @property
    def changed_ns(self) -> int:
        """When the file system last saw it change, in ns of wall time: no program can set this.

        Raises:
            SourceNotFoundError, SourceUnreadableError: it is not there any more.
        """

    def write_back(self) -> bool:
        """Have the system write to the disk what programs have changed of it in memory.

        Returns:
            Whether it did: any later change is a change of `changed_ns` too.
        """

    @property
    def is_locked(self) -> bool:
        """Whether the shared lock was granted (some file systems have none)."""

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; fewer bytes than its length only at the file's end.

        Raises:
            SourceUnreadableError: the read failed.
        """

    def close(self) -> None:
        """Give up the lock and the file."""


class SourceReader(Protocol):
    """Opens source files, never for writing."""

    def open(self, path: str) -> OpenSource:
        """Open a regular file, with a shared lock where the file system has one.

        Raises:
            SourceNotFoundError: nothing has this path.
            SourceUnreadableError: not a regular file, no permission, or locked by a writer.
        """


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a saga for a while."""

    saga_id: UUID
    owner: str
    expires_us: int


class LeaseStore(Protocol):
    """Who drives which saga, among all processes that share the data folder.

    A lease keeps living workers apart; that a dead one can do no harm is the log's doing.
    """

    @property
    def owner(self) -> str:
        """The name of this process's worker: host, process and a random part."""

    def acquire(self, saga_id: UUID, ttl_s: float) -> Lease:
        """Take the lease, or renew it if it is ours. One whose owner is dead is taken at once.

        Raises:
            LeaseHeldError: another living worker holds it and it has not run out.
        """

    def renew(self, ttl_s: float) -> None:
        """Extend every lease of this worker that nobody else took."""

    def holds(self, saga_id: UUID) -> bool:
        """Whether the lease is still ours and has not run out."""

    def release(self, saga_id: UUID) -> None:
        """Give the lease back. Idempotent."""

    def holder(self, saga_id: UUID) -> Lease | None:
        """The living holder's lease, or None where anybody may take it."""

    def close(self) -> None:
        """Give back all leases and end this worker."""


@dataclass(frozen=True, slots=True)
class SagaSummary:
    """One line about a saga, as a projection keeps it."""

    saga_id: UUID
    definition: str
    status: SagaStatus
    paused: bool
    decided: bool
    step: str
    """The step last begun."""
    source: str
    document_id: str
    owner: str
    started_us: int
    ended_us: int
    reason: str
    """Why it was rolled back, or an empty string."""
    attempt: int
    """Which try of the step it is."""
    changed_us: int
    """When it last recorded anything."""


class SagaDirectory(Protocol):
    """Finds sagas without replaying the whole log. Always up to date with the log when asked."""

    def open_sagas(self) -> Sequence[SagaSummary]:
        """Every saga that has not ended, oldest first."""

    def unclean_sagas(self) -> Sequence[SagaSummary]:
        """Every saga whose rollback left something."""

    def all_sagas(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas, newest first."""

    def by_id_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas whose id begins so."""

    def by_document_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas about a document whose id begins so, oldest first."""

    def reading(self, device: int, inode: int) -> Sequence[SagaSummary]:
        """Open sagas whose source is this file."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a saga's present step is."""

    saga_id: UUID
    source: str
    step: str
    done: int
    total: int
    unit: str


ProgressCallback: TypeAlias = Callable[[Progress], None]
