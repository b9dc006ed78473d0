"""What is true of an upload, and what may happen to it next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import SagaCompleted
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.chunk_table import ChunkTable
from sagaledger.domain.upload.chunking import chunk_list_root
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
from sagaledger.domain.upload.state import (
    ReadBack,
    Upload,
    UploadStatus,
    complete_upload,
    discard_upload,
    fold_upload,
    fold_upload_runs,
    interrupt_upload,
    judge_integrity,
    resume_upload,
)
from sagaledger.domain.upload.values import SourceFingerprint

from tests.support.specification import given, in_envelopes, upload_after


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


FILE_SHA256 = digest("the whole file")
CHUNK_SHA256 = [digest(f"chunk {index}") for index in range(3)]
ROOT = chunk_list_root(CHUNK_SHA256)

STARTED = UploadStarted(
    saga_id="5a6a",
    source="a.bin",
    fingerprint=SourceFingerprint(25, 1_000, 7, 8),
    chunk_size_bytes=10,
    chunk_count=3,
    key_prefix="upload/",
    store="chunks",
    compression="none",
)
CHUNKS = [ChunkWritten(index, CHUNK_SHA256[index], 10, "raw", 1) for index in range(3)]
COMPLETED = UploadCompleted(3, 25, FILE_SHA256, ROOT)
VERIFIED = IntegrityVerified(3, 25, FILE_SHA256, ROOT, "disk")
INTERRUPTED = UploadInterrupted(1, "StorageBackendError", "no answer", 1)
FAILED = IntegrityFailed("size", "25", "24", "bytes")
DISCARDED = UploadDiscarded("rolled back")
SENT: list[UploadEvent] = [*CHUNKS, COMPLETED]
READ_BACK = ReadBack(3, 25, FILE_SHA256, (), "", "disk")


def test_started_upload_is_open_and_misses_every_chunk() -> None:
    upload = upload_after(STARTED)

    assert upload.status is UploadStatus.OPEN
    assert upload.chunks == ChunkTable(3)
    assert (upload.attempt, upload.version) == (1, 1)


def test_open_upload_with_every_chunk_is_completed() -> None:
    given(STARTED, *CHUNKS).when(lambda u: complete_upload(u, FILE_SHA256)).then(COMPLETED)


@pytest.mark.parametrize(
    "history",
    [
        [CHUNKS[0], CHUNKS[2]],
        [*CHUNKS, INTERRUPTED],
        SENT,
        [*SENT, VERIFIED],
        [*SENT, FAILED],
        [*SENT, DISCARDED],
        [*SENT, UploadResumed(2, 2, (1,))],
    ],
    ids=[
        "chunk missing",
        "interrupted",
        "completed before",
        "verified",
        "corrupt",
        "discarded",
        "chunk lost",
    ],
)
def test_upload_not_open_or_not_whole_cannot_be_completed(history: list[UploadEvent]) -> None:
    upload = given(STARTED, *history)

    upload.when(lambda u: complete_upload(u, FILE_SHA256)).then_refused(
        SagaStateError, "cannot be completed"
    )


def test_empty_file_is_completed_and_verified_without_chunks() -> None:
    empty = replace(STARTED, fingerprint=SourceFingerprint(0, 1_000, 7, 8), chunk_count=0)
    nothing, root = hashlib.sha256().digest(), chunk_list_root([])

    completed = (
        given(empty)
        .when(lambda u: complete_upload(u, nothing))
        .then(UploadCompleted(0, 0, nothing, root))
    )

    completed.when(lambda u: [judge_integrity(u, ReadBack(0, 0, nothing, (), "", "disk"))]).then(
        IntegrityVerified(0, 0, nothing, root, "disk")
    )


def test_open_upload_is_interrupted_once_and_resumed_as_next_attempt() -> None:
    (
        given(STARTED, CHUNKS[0])
        .when(lambda u: interrupt_upload(u, "StorageBackendError", "no answer"))
        .then(INTERRUPTED)
        .when(lambda u: interrupt_upload(u, "StorageBackendError", "no answer"))
        .then()
        .when(lambda u: resume_upload(u, []))
        .then(UploadResumed(2, 1, ()))
    )


def test_upload_in_doubt_after_a_crash_is_resumed_without_the_lost_chunks() -> None:
    resumed = (
        given(STARTED, CHUNKS[0], CHUNKS[1])
        .when(lambda u: resume_upload(u, [1]))
        .then(UploadResumed(2, 1, (1,)))
    )

    assert resumed.state.chunks.missing() == [1, 2]
    assert resumed.state.status is UploadStatus.OPEN
    assert resumed.state.attempt == 2


@pytest.mark.parametrize(
    "history",
    [
        SENT,
        [*SENT, VERIFIED],
        [*SENT, FAILED],
        [DISCARDED],
    ],
    ids=["completed", "verified", "corrupt", "discarded"],
)
def test_ended_upload_is_neither_resumed_nor_interrupted(history: list[UploadEvent]) -> None:
    upload = given(STARTED, *history)

    upload.when(lambda u: resume_upload(u, [])).then_refused(SagaStateError, "cannot be resumed")
    upload.when(lambda u: interrupt_upload(u, "rollback", "")).then()


def test_sent_upload_read_back_unchanged_is_verified() -> None:
    verified = given(STARTED, *SENT).when(lambda u: [judge_integrity(u, READ_BACK)]).then(VERIFIED)

    assert verified.state.status is UploadStatus.VERIFIED


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (replace(READ_BACK, chunk_count=2), ("count", "3", "2", "1 chunks missing")),
        (replace(READ_BACK, chunk_count=5), ("count", "3", "5", "2 chunks too many")),
        (replace(READ_BACK, size_bytes=24), ("size", "25", "24", "bytes")),
        (replace(READ_BACK, size_bytes=26), ("size", "25", "26", "bytes")),
        (
            replace(READ_BACK, bad_chunks=((1, CHUNK_SHA256[1], digest("x")),)),
            ("chunk", CHUNK_SHA256[1].hex(), digest("x").hex(), "chunk 1; 1 of 3 chunks differ"),
        ),
        (
            replace(READ_BACK, sha256=digest("x")),
            ("hash", FILE_SHA256.hex(), digest("x").hex(), "SHA-256 of the whole file"),
        ),
        (
            replace(READ_BACK, sha256=bytes(32)),
            ("hash", FILE_SHA256.hex(), "00" * 32, "SHA-256 of the whole file"),
        ),
        (
            replace(READ_BACK, sha256=b"\xff" * 32),
            ("hash", FILE_SHA256.hex(), "ff" * 32, "SHA-256 of the whole file"),
        ),
        (
            replace(READ_BACK, bad_chunks=tuple((i, CHUNK_SHA256[i], bytes(32)) for i in (1, 2))),
            ("chunk", CHUNK_SHA256[1].hex(), "00" * 32, "chunk 1; 2 of 3 chunks differ"),
        ),
        (
            replace(READ_BACK, source_difference="inode 7→9"),
            ("source", "unchanged", "inode 7→9", "a.bin"),
        ),
    ],
    ids=[
        *("chunk missing", "chunk too many", "size below", "size above", "chunk", "hash"),
        *("hash below", "hash above", "chunks", "source"),
    ],
)
def test_sent_upload_read_back_otherwise_is_corrupt(
    found: ReadBack, verdict: tuple[str, str, str, str]
) -> None:
    failure = IntegrityFailed(*verdict)

    judged = given(STARTED, *SENT).when(lambda u: [judge_integrity(u, found)]).then(failure)

    assert judged.state.status is UploadStatus.CORRUPT
    assert judged.state.integrity_failure == failure


def test_upload_differing_in_everything_is_judged_by_what_shows_first() -> None:
    bad_chunk = (0, CHUNK_SHA256[0], digest("x"))
    found = ReadBack(2, 24, digest("x"), (bad_chunk,), "size_bytes 25→24", "disk")

    verdict = judge_integrity(upload_after(STARTED, *SENT), found)

    assert isinstance(verdict, IntegrityFailed)
    assert verdict.check == "count"


def test_chunk_recorded_anew_after_completion_is_not_verified() -> None:
    replaced = ChunkWritten(1, digest("another"), 10, "raw", 1)
    root = chunk_list_root([CHUNK_SHA256[0], digest("another"), CHUNK_SHA256[2]])

    given(STARTED, *SENT, replaced).when(lambda u: [judge_integrity(u, READ_BACK)]).then(
        IntegrityFailed("chunk", ROOT.hex(), root.hex(), "root over the recorded chunks")
    )


def test_upload_that_was_not_completed_cannot_be_verified() -> None:
    found = replace(READ_BACK, sha256=b"")

    verdict = judge_integrity(upload_after(STARTED, *CHUNKS), found)

    assert isinstance(verdict, IntegrityFailed)


@pytest.mark.parametrize(
    "history",
    [[], [*CHUNKS, INTERRUPTED], SENT, [*SENT, VERIFIED], [*SENT, FAILED]],
    ids=["open", "interrupted", "completed", "verified", "corrupt"],
)
def test_any_upload_is_discarded_once(history: list[UploadEvent]) -> None:
    discarded = (
        given(STARTED, *history).when(lambda u: discard_upload(u, "rolled back")).then(DISCARDED)
    )

    discarded.when(lambda u: discard_upload(u, "rolled back")).then()
    assert discarded.state.status is UploadStatus.DISCARDED


def test_chunks_that_could_not_be_deleted_are_known_until_they_are() -> None:
    failed = upload_after(STARTED, *SENT, ChunkDeletionFailed("upload/00000001", "busy"))
    deleted = upload_after(
        STARTED, *SENT, ChunkDeletionFailed("upload/00000001", "busy"), ChunksDeleted(3, 30)
    )

    assert failed.deletion_failures == {"upload/00000001": "busy"}
    assert deleted.deletion_failures == {}


def runs_of(history: Sequence[RecordedEvent]) -> list[EventRun]:
    """As the log gives them."""
    return [
        (kind, ChunkRun.of(events) if kind is ChunkWritten else events)
        for kind, same in groupby(history, lambda item: type(item.event))
        for events in (list(same),)
    ]


def test_history_folded_in_parts_equals_the_whole() -> None:
    history = in_envelopes([STARTED, *CHUNKS, INTERRUPTED, UploadResumed(2, 2, (0,)), CHUNKS[0]])

    for cut in range(len(history) + 1):
        parts: Upload | None = fold_upload(fold_upload(None, history[:cut]), history[cut:])
        assert parts == fold_upload(None, history)
        assert fold_upload_runs(fold_upload(None, history[:cut]), runs_of(history[cut:])) == parts


@pytest.mark.parametrize(
    ("history", "detail"),
    [
        ([CHUNKS[0]], "begins with ChunkWritten"),
        ([COMPLETED], "begins with UploadCompleted"),
        ([STARTED, STARTED], "UploadStarted in an unexpected place"),
        ([STARTED, CHUNKS[0], STARTED], "UploadStarted in an unexpected place"),
        ([STARTED, SagaCompleted()], "SagaCompleted in an unexpected place"),
        ([replace(STARTED, chunk_count=4)], "4 chunks announced"),
        ([replace(STARTED, chunk_count=2)], "2 chunks announced"),
        ([replace(STARTED, chunk_size_bytes=0)], "a layout needs"),
        ([STARTED, replace(CHUNKS[0], index=3)], "outside"),
        ([STARTED, replace(CHUNKS[0], sha256=b"short")], "digest of 5 bytes"),
        ([STARTED, replace(CHUNKS[0], encoding="gzip")], "gzip"),
        ([STARTED, replace(CHUNKS[0], stored_bytes=-1)], "-1 bytes"),
        ([STARTED, UploadResumed(2, 0, (3,))], "outside"),
        ([STARTED, UploadResumed(2, 0, (-1,))], "outside"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_history_that_contradicts_itself_is_corrupt(history: list[Event], detail: str) -> None:
    with pytest.raises(ChunkMetadataCorruptError, match=detail):
        fold_upload(None, in_envelopes(history))
    with pytest.raises(ChunkMetadataCorruptError, match=detail):
        fold_upload_runs(None, runs_of(in_envelopes(history)))
