"""What an upload records, in the past tense.

Fields are stored by position, so their order is part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sagaledger.domain.history.envelope import Event
from sagaledger.domain.upload.values import SourceFingerprint

__all__ = [
    "ChunkDeletionFailed",
    "ChunkWritten",
    "ChunksDeleted",
    "IntegrityFailed",
    "IntegrityVerified",
    "UploadCompleted",
    "UploadDiscarded",
    "UploadEvent",
    "UploadInterrupted",
    "UploadResumed",
    "UploadStarted",
]


@dataclass(frozen=True, slots=True)
class UploadStarted(Event):
    """An upload was opened; from here on its prefix may hold chunks."""

    announces_effect: ClassVar[bool] = True

    saga_id: str
    source: str
    fingerprint: SourceFingerprint
    chunk_size_bytes: int
    chunk_count: int
    key_prefix: str
    store: str
    compression: str
    """`none` or `zstd`."""


@dataclass(frozen=True, slots=True)
class ChunkWritten(Event):
    """A chunk is durable in the chunk store."""

    index: int
    sha256: bytes
    """Of the plain bytes, before compression."""
    stored_bytes: int
    encoding: str
    """`raw` or `zstd`."""
    attempt: int


@dataclass(frozen=True, slots=True)
class UploadInterrupted(Event):
    """An attempt to send the chunks ended early: failed, paused, stopped, or about to be undone."""

    attempt: int
    cause: str
    detail: str
    chunks_written: int

    @property
    def failure(self) -> str:
        """What ended the attempt."""
        return f"the upload was interrupted: {self.detail}"


@dataclass(frozen=True, slots=True)
class UploadResumed(Event):
    """A worker goes on from the chunks that the log knows; earlier workers are fenced off."""

    attempt: int
    chunks_known: int
    lost_chunks: tuple[int, ...]
    """Indexes that the log knew but the store no longer holds: they are sent again."""


@dataclass(frozen=True, slots=True)
class UploadCompleted(Event):
    """Every chunk is durable."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """Of the whole file, as it was read."""
    chunk_list_root: bytes


@dataclass(frozen=True, slots=True)
class IntegrityVerified(Event):
    """Every chunk was read back from the store, and all checks agreed."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """Of the whole file, as it was read back."""
    chunk_list_root: bytes
    read_from: str
    """How real the read was: what the store says of its reads."""


@dataclass(frozen=True, slots=True)
class IntegrityFailed(Event):
    """A check did not hold, or could not be carried out."""

    check: str
    """`chunk`, `count`, `size`, `hash`, `source` or `unverifiable`."""
    expected: str
    actual: str
    detail: str

    @property
    def failure(self) -> str:
        """The check, and what was found."""
        return f"check {self.check} did not hold: {self.detail}"


@dataclass(frozen=True, slots=True)
class ChunksDeleted(Event):
    """Chunks under the upload's prefix were removed and are no longer listed."""

    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ChunkDeletionFailed(Event):
    """A chunk could not be removed."""

    key: str
    error: str

    @property
    def failure(self) -> str:
        """The chunk, and what its store said."""
        return f"chunk {self.key} could not be removed: {self.error}"


@dataclass(frozen=True, slots=True)
class UploadDiscarded(Event):
    """The upload was given up and its prefix is empty."""

    cause: str


UploadEvent = (
    UploadStarted
    | ChunkWritten
    | UploadInterrupted
    | UploadResumed
    | UploadCompleted
    | IntegrityVerified
    | IntegrityFailed
    | ChunksDeleted
    | ChunkDeletionFailed
    | UploadDiscarded
)
