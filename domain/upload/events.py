"""The events of an upload.

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
    """An upload was opened. From now on its prefix may contain chunks."""

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
    """The digest of the plain bytes, before compression."""
    stored_bytes: int
    encoding: str
    """`raw` or `zstd`."""
    attempt: int


@dataclass(frozen=True, slots=True)
class UploadInterrupted(Event):
    """An attempt to send the chunks ended early: it failed, was paused, stopped or rolled back."""

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
    """A worker continues from the recorded chunks; earlier workers are fenced off."""

    attempt: int
    chunks_known: int
    lost_chunks: tuple[int, ...]
    """Indexes that were recorded, but are missing in the store. They are sent again."""


@dataclass(frozen=True, slots=True)
class UploadCompleted(Event):
    """Every chunk is durable."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """The digest of the whole file, as it was read."""
    chunk_list_root: bytes


@dataclass(frozen=True, slots=True)
class IntegrityVerified(Event):
    """Every chunk was read back from the store, and all checks passed."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """The digest of the whole file, as it was read back."""
    chunk_list_root: bytes
    read_from: str
    """Where the reads came from; see `ChunkStore.read_from`."""


@dataclass(frozen=True, slots=True)
class IntegrityFailed(Event):
    """A check failed or could not be completed."""

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
    """Chunks under the upload's prefix were deleted; the store no longer lists them."""

    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ChunkDeletionFailed(Event):
    """A chunk could not be deleted."""

    key: str
    error: str

    @property
    def failure(self) -> str:
        """The chunk, and what its store said."""
        return f"chunk {self.key} could not be removed: {self.error}"


@dataclass(frozen=True, slots=True)
class UploadDiscarded(Event):
    """The upload was discarded, and its prefix is empty."""

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
