"""The upload aggregate: its state, and the decisions on it.

`fold_upload` computes the state and never rejects a valid stored event. The decisions return the
events that follow from a command; they do not change the state.
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
    """The status of an upload."""

    OPEN = "open"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    VERIFIED = "verified"
    CORRUPT = "corrupt"
    DISCARDED = "discarded"


@dataclass(slots=True)
class Upload:
    """The state of one upload, computed from its events."""

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
    """The digest of the whole file as it was sent; empty until the upload is complete."""
    chunk_list_root: bytes = b""
    integrity_failure: IntegrityFailed | None = None
    deletion_failures: dict[str, str] = field(default_factory=dict)
    """The keys of chunks that could not be deleted, with the last error."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The result of reading a whole upload back from the store."""

    chunk_count: int
    """The number of chunks listed under the prefix."""
    size_bytes: int
    sha256: bytes
    """The digest of all plain bytes in order."""
    bad_chunks: tuple[tuple[int, bytes, bytes], ...]
    """The index, expected SHA-256 and actual SHA-256 of each chunk that differs."""
    source_difference: str
    """How the source differs from the sent chunks; empty if it does not."""
    read_from: str


def fold_upload(upload: Upload | None, recorded: Iterable[RecordedEvent]) -> Upload | None:
    """The upload after these events.

    Raises:
        ChunkMetadataCorruptError: an event is invalid for this upload.
    """
    for item in recorded:
        event = item.event
        if isinstance(event, ChunkWritten) and upload is not None:
            # Checked first, because most events of a long history are of this type.
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
    """The same result as `fold_upload` for these runs, without creating an object per chunk.

    Raises:
        ChunkMetadataCorruptError: an event is invalid for this upload.
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
            # Fold the events one by one to raise the error of the invalid one.
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
    """Record that an attempt ended early. Returns no event if the upload is not open."""
    if upload.status is not UploadStatus.OPEN:
        return []
    return [UploadInterrupted(upload.attempt, cause, detail, upload.chunks.known)]


def resume_upload(upload: Upload, lost_chunks: Sequence[int]) -> list[UploadEvent]:
    """Continue with the missing chunks and with those that the store has lost since.

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
    """The verdict on a read-back: the first failed check, or verified.

    Checks that need no hashing come first. The upload is verified only if the read-back equals
    what the upload was completed with.
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
    """Discard the upload permanently."""
    return [] if upload.status is UploadStatus.DISCARDED else [UploadDiscarded(cause)]
