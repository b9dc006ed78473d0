"""The upload aggregate: what is true of one upload, and what may happen to it next.

`fold` says what is true and never refuses a stored event that can be understood; the decisions
below it return the events that a command leads to, and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.chunk_table import ChunkTable
from sagaledger.domain.upload.chunking import ChunkLayout, chunk_list_root
from sagaledger.domain.upload.errors import ChunkMetadataCorruptError
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    ChunksDeleted,
    ChunkWritten,
    IntegrityFailed,
    IntegrityVerified,
    UploadCompleted,
    UploadDiscarded,
    UploadEvent,
    UploadInterrupted,
    UploadResumed,
    UploadStarted,
)
from sagaledger.domain.upload.values import SourceFingerprint

__all__ = [
    "ReadBack",
    "Upload",
    "UploadStatus",
    "complete_upload",
    "discard_upload",
    "fold_upload",
    "fold_upload_runs",
    "interrupt_upload",
    "judge_integrity",
    "resume_upload",
]


class UploadStatus(StrEnum):
    """Where an upload stands."""

    OPEN = "open"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    VERIFIED = "verified"
    CORRUPT = "corrupt"
    DISCARDED = "discarded"


@dataclass(slots=True)
class Upload:
    """One file's way into the chunk store, as the log tells it."""

    id: UUID
    version: int
    saga_id: str
    source: str
    fingerprint: SourceFingerprint
    layout: ChunkLayout
    key_prefix: str
    store: str
    compression: str
    chunks: ChunkTable
    status: UploadStatus = UploadStatus.OPEN
    attempt: int = 1
    sha256: bytes = b""
    """Of the whole file as it was sent; empty until all of it was."""
    chunk_list_root: bytes = b""
    integrity_failure: IntegrityFailed | None = None
    deletion_failures: dict[str, str] = field(default_factory=dict)
    """Chunk keys that could not be removed, with the last error."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a verification found by reading the whole upload back from the store."""

    chunk_count: int
    """Chunks listed under the prefix."""
    size_bytes: int
    sha256: bytes
    """Of all plain bytes in order."""
    bad_chunks: tuple[tuple[int, bytes, bytes], ...]
    """Index, expected and actual SHA-256 of each chunk that differs."""
    source_difference: str
    """How the source differs from what was sent; empty if it does not."""
    read_from: str


def fold_upload(upload: Upload | None, recorded: Iterable[RecordedEvent]) -> Upload | None:
    """The upload after these events: the projector function of the repository.

    Raises:
        ChunkMetadataCorruptError: an event cannot belong to this upload.
    """
    for item in recorded:
        event = item.event
        if isinstance(event, ChunkWritten) and upload is not None:
            # First and apart, for a long history is nearly all of these.
            _record_chunk(upload, event)
            upload.version = item.originator_version
        elif upload is None:
            upload = _open(item)
        elif isinstance(event, UploadEvent):
            _apply(upload, event)
            upload.version = item.originator_version
        else:
            raise _misplaced(upload.id, event)
    return upload


def fold_upload_runs(upload: Upload | None, runs: Iterable[EventRun]) -> Upload | None:
    """What `fold_upload` gives for the events of these runs, without an object for each chunk.

    Raises:
        ChunkMetadataCorruptError: an event cannot belong to this upload.
    """
    for _, events in runs:
        if upload is None or not isinstance(events, ChunkRun):
            upload = fold_upload(upload, events)
            continue
        run = events
        try:
            upload.chunks.record_all(run.indexes, run.digests, run.stored_bytes, run.encodings)
            upload.version = run.versions[-1]
        except ValueError:
            # Folding them one by one tells which of them it is.
            upload = fold_upload(upload, events)
    return upload


def _open(item: RecordedEvent) -> Upload:
    event = item.event
    if not isinstance(event, UploadStarted):
        raise ChunkMetadataCorruptError(
            item.originator_id.hex, f"the history begins with {type(event).__name__}"
        )
    try:
        layout = ChunkLayout(event.fingerprint.size_bytes, event.chunk_size_bytes)
    except ValueError as error:
        raise ChunkMetadataCorruptError(item.originator_id.hex, str(error)) from error
    if layout.count != event.chunk_count:
        raise ChunkMetadataCorruptError(
            item.originator_id.hex,
            f"{event.chunk_count} chunks announced where the size gives {layout.count}",
        )
    return Upload(
        id=item.originator_id,
        version=item.originator_version,
        saga_id=event.saga_id,
        source=event.source,
        fingerprint=event.fingerprint,
        layout=layout,
        key_prefix=event.key_prefix,
        store=event.store,
        compression=event.compression,
        chunks=ChunkTable(layout.count),
    )


def _record_chunk(upload: Upload, event: ChunkWritten) -> None:
    try:
        upload.chunks.record(event.index, event.sha256, event.stored_bytes, event.encoding)
    except ValueError as error:
        raise ChunkMetadataCorruptError(upload.id.hex, str(error)) from error


def _forget_chunks(upload: Upload, indexes: Sequence[int]) -> None:
    try:
        for index in indexes:
            upload.chunks.forget(index)
    except ValueError as error:
        raise ChunkMetadataCorruptError(upload.id.hex, str(error)) from error


def _misplaced(upload_id: UUID, event: Event) -> ChunkMetadataCorruptError:
    detail = f"{type(event).__name__} in an unexpected place"
    return ChunkMetadataCorruptError(upload_id.hex, detail)


def _apply(upload: Upload, event: UploadEvent) -> None:
    match event:
        case UploadInterrupted():
            upload.status = UploadStatus.INTERRUPTED
        case UploadResumed():
            upload.status = UploadStatus.OPEN
            upload.attempt = event.attempt
            _forget_chunks(upload, event.lost_chunks)
        case UploadCompleted():
            upload.status = UploadStatus.COMPLETED
            upload.sha256 = event.sha256
            upload.chunk_list_root = event.chunk_list_root
        case IntegrityVerified():
            upload.status = UploadStatus.VERIFIED
        case IntegrityFailed():
            upload.status = UploadStatus.CORRUPT
            upload.integrity_failure = event
        case ChunksDeleted():
            upload.deletion_failures.clear()
        case ChunkDeletionFailed():
            upload.deletion_failures[event.key] = event.error
        case UploadDiscarded():
            upload.status = UploadStatus.DISCARDED
        case UploadStarted() | ChunkWritten():
            raise _misplaced(upload.id, event)
        case _:
            assert_never(event)


def interrupt_upload(upload: Upload, cause: str, detail: str) -> list[UploadEvent]:
    """Record that an attempt ended early; nothing to say of an upload that is not open."""
    if upload.status is not UploadStatus.OPEN:
        return []
    return [UploadInterrupted(upload.attempt, cause, detail, upload.chunks.known)]


def resume_upload(upload: Upload, lost_chunks: Sequence[int]) -> list[UploadEvent]:
    """Go on with the missing chunks and with those the store has lost since.

    Raises:
        SagaStateError: the upload has ended.
    """
    if upload.status not in (UploadStatus.OPEN, UploadStatus.INTERRUPTED):
        raise SagaStateError(f"upload {upload.id.hex} is {upload.status} and cannot be resumed")
    known = upload.chunks.known - len(lost_chunks)
    return [UploadResumed(upload.attempt + 1, known, tuple(lost_chunks))]


def complete_upload(upload: Upload, sha256: bytes) -> list[UploadEvent]:
    """Record that every chunk is durable.

    Raises:
        SagaStateError: chunks are missing or the upload is not open.
    """
    if upload.status is not UploadStatus.OPEN or not upload.chunks.is_complete:
        raise SagaStateError(
            f"upload {upload.id.hex} is {upload.status} with {upload.chunks.known} of "
            f"{upload.chunks.count} chunks and cannot be completed"
        )
    root = chunk_list_root(upload.chunks.digests())
    return [UploadCompleted(upload.layout.count, upload.layout.size_bytes, sha256, root)]


def judge_integrity(upload: Upload, found: ReadBack) -> IntegrityVerified | IntegrityFailed:
    """The verdict on a read-back: the first check that fails, or verified.

    The order goes from what shows without hashing to what needs the most. Verified is only what
    the upload was completed with.
    """
    layout = upload.layout
    if found.chunk_count != layout.count:
        missing = layout.count - found.chunk_count
        detail = f"{abs(missing)} chunks {'missing' if missing > 0 else 'too many'}"
        return IntegrityFailed("count", str(layout.count), str(found.chunk_count), detail)
    if found.size_bytes != layout.size_bytes:
        return IntegrityFailed("size", str(layout.size_bytes), str(found.size_bytes), "bytes")
    if found.bad_chunks:
        index, expected, actual = found.bad_chunks[0]
        detail = f"chunk {index}; {len(found.bad_chunks)} of {layout.count} chunks differ"
        return IntegrityFailed("chunk", expected.hex(), actual.hex(), detail)
    root = chunk_list_root(upload.chunks.digests())
    if root != upload.chunk_list_root:
        detail = "root over the recorded chunks"
        return IntegrityFailed("chunk", upload.chunk_list_root.hex(), root.hex(), detail)
    if found.sha256 != upload.sha256:
        detail = "SHA-256 of the whole file"
        return IntegrityFailed("hash", upload.sha256.hex(), found.sha256.hex(), detail)
    if found.source_difference:
        return IntegrityFailed("source", "unchanged", found.source_difference, upload.source)
    return IntegrityVerified(
        found.chunk_count, found.size_bytes, found.sha256, root, found.read_from
    )


def discard_upload(upload: Upload, cause: str) -> list[UploadEvent]:
    """Give the upload up for good."""
    return [] if upload.status is UploadStatus.DISCARDED else [UploadDiscarded(cause)]
