"""The whole path on real engines: all or nothing, and proof of it."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.events import (
    ChunkWritten,
    CommitDecided,
    CompensationAttempted,
    IntegrityFailed,
    IntegrityVerified,
    OrphanRemoved,
    RetryScheduled,
    SagaCompensated,
    SagaCompensationFailed,
    StepStarted,
    UploadResumed,
)
from sagaledger.domain.ports import ChunkWriter, StoredChunk
from sagaledger.domain.values import SagaStatus
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.interface.ledger import Ledger, open_ledger
from sagaledger.projections import OrphanDirectory

from tests.support.documents import pdf_bytes
from tests.support.ledgers import CHUNK, QUICK, events_of, what_is_left


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "data", QUICK) as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(os.urandom(10 * CHUNK - 17))
    return path


class Uncommitted:
    """A chunk that takes all its bytes and then cannot be committed."""

    def __init__(self, writer: ChunkWriter) -> None:
        self._writer = writer
        self.write = writer.write
        self.abort = writer.abort

    def commit(self) -> None:
        raise StorageBackendError("chunks", "commit", "injected")


class FaultyChunks(LocalFolderChunkStore):
    """The real store, with faults in front of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fail_creates: set[int] = set()
        self.fail_deletes: set[int] = set()
        self.fail_lists = False
        self.full = False
        self.fail_commits = False
        self.creates = 0

    def create(self, key: str) -> ChunkWriter:  # type: ignore[override]  # A port's writer will do.
        self.creates += 1
        if self.full:
            raise StorageFullError("chunks", "write", "No space left on device")
        if self.creates in self.fail_creates:
            raise StorageBackendError("chunks", "create", "injected")
        writer = super().create(key)
        return Uncommitted(writer) if self.fail_commits else writer

    def delete(self, key: str) -> bool:
        if int(key.rpartition("/")[2]) in self.fail_deletes:
            raise StorageBackendError("chunks", "delete", "injected")
        return super().delete(key)

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        if self.fail_lists:
            raise StorageBackendError("chunks", "list", "injected")
        return super().list(prefix)


@pytest.fixture
def chunks(ledger: Ledger, tmp_path: Path) -> FaultyChunks:
    faulty = FaultyChunks(tmp_path / "data" / "chunks")
    ledger.services.chunks = faulty
    return faulty


def test_file_ingested_restores_the_same_bytes(ledger: Ledger, source: Path) -> None:
    result = ledger.ingest(source)

    assert result.document is not None
    assert result.document.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert b"".join(ledger.documents.content(result.document)) == source.read_bytes()
    assert ledger.documents.verify(result.document).holds


def test_nothing_downstream_is_started_before_integrity_is_verified(
    ledger: Ledger, source: Path
) -> None:
    ledger.ingest(source)

    kinds = [
        event.step if isinstance(event, StepStarted) else type(event).__name__
        for event in events_of(ledger)
    ]
    assert kinds.index("IntegrityVerified") < kinds.index("secure") < kinds.index("vector")
    assert kinds.index("CommitDecided") == kinds.index("finalize") - 1


def test_empty_file_ingested_completes_without_chunks(ledger: Ledger, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    result = ledger.ingest(empty)

    assert result.document is not None
    assert (result.document.chunk_count, result.document.text_note) == (0, "empty file")
    assert b"".join(ledger.documents.content(result.document)) == b""


def test_compressed_file_ingested_restores_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    text = tmp_path / "long.txt"
    text.write_text("the same words again and again " * 20_000)

    result = ledger.ingest(text, replace(QUICK, compress=True))

    written = [e for e in events_of(ledger, ChunkWritten) if isinstance(e, ChunkWritten)]
    assert result.document is not None
    assert {event.encoding for event in written} == {"zstd"}
    assert sum(event.stored_bytes for event in written) < text.stat().st_size / 10
    assert b"".join(ledger.documents.content(result.document)) == text.read_bytes()


def test_same_content_again_returns_the_document_that_exists(ledger: Ledger, source: Path) -> None:
    first = ledger.ingest(source)

    again = ledger.ingest(source)
    forced = ledger.ingest(source, replace(QUICK, again=True))

    assert again.existed
    assert again.document == first.document
    assert forced.document is not None
    assert first.document is not None
    assert forced.document.document_id != first.document.document_id
    assert ledger.services.graph.same_content(first.document.document_id) == [
        forced.document.document_id
    ]


def test_pdf_ingested_is_found_by_its_words(ledger: Ledger, tmp_path: Path) -> None:
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(pdf_bytes(["An unrelated first page", "The compensation of sagas"]))

    result = ledger.ingest(pdf)

    assert result.document is not None
    assert result.document.media_type == "application/pdf"
    assert "compensation of sagas" in ledger.documents.search("compensation sagas", 1)[0].text


def test_committed_document_deleted_is_gone_from_every_store(ledger: Ledger, source: Path) -> None:
    document = ledger.ingest(source).document
    assert document is not None

    result = ledger.delete(document)

    assert result.success
    assert what_is_left(ledger) == {}
    assert ledger.services.relational.documents() == []


def test_resume_succeeds_on_second_attempt(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = {6}

    result = ledger.ingest(source)

    assert result.document is not None
    resumed = [e for e in events_of(ledger, UploadResumed) if isinstance(e, UploadResumed)]
    assert [event.attempt for event in resumed] == [2]
    assert resumed[0].chunks_known > 0
    assert chunks.creates < 20
    assert b"".join(ledger.documents.content(result.document)) == source.read_bytes()


def test_resume_fails_after_last_attempt_and_rolls_back(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = set(range(3, 100))

    result = ledger.ingest(source)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert result.saga.reason == "max_retries_exceeded"
    assert len(events_of(ledger, RetryScheduled)) == 2
    assert what_is_left(ledger) == {}


def test_disk_full_rolls_back_at_once(ledger: Ledger, chunks: FaultyChunks, source: Path) -> None:
    chunks.full = True

    result = ledger.ingest(source)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "storage_full")
    assert events_of(ledger, RetryScheduled) == []
    assert what_is_left(ledger) == {}


def test_chunk_that_cannot_be_committed_ends_the_attempt(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_commits = True

    result = ledger.ingest(source)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (
        SagaStatus.COMPENSATED,
        "max_retries_exceeded",
    )
    assert what_is_left(ledger) == {}


def test_source_removed_during_upload_rolls_back_at_once(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = {4}
    removed = threading.Event()

    def remove(_: object) -> None:
        if not removed.is_set():
            removed.set()
            source.unlink()

    result = ledger.ingest(source, replace(QUICK, resume_retry_delay_s=0.3), progress=remove)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "file_not_found")
    assert what_is_left(ledger) == {}


class Corrupting(LocalFolderChunkStore):
    """The real store, which loses or changes one chunk once all of them are there."""

    def __init__(self, root: Path, damage: str) -> None:
        super().__init__(root)
        self._damage = damage
        self._root_path = root
        self._done = False

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        if not self._done and len(list(super().list(prefix))) == 10:
            self._done = True
            path = self._root_path / prefix / "00000003"
            if self._damage == "lost":
                path.unlink()
            elif self._damage == "short":
                os.truncate(path, CHUNK - 1)
            else:
                content = bytearray(path.read_bytes())
                content[100] ^= 1
                path.write_bytes(content)
        return super().list(prefix)

    def open(self, key: str) -> BinaryIO:
        return super().open(key)


@pytest.mark.parametrize(
    ("damage", "check", "reason"),
    [
        ("lost", "count", "chunk_count_mismatch"),
        ("short", "size", "size_mismatch"),
        ("flipped", "chunk", "chunk_mismatch"),
    ],
)
def test_stored_chunk_damaged_fails_integrity_and_rolls_back(
    ledger: Ledger, tmp_path: Path, source: Path, damage: str, check: str, reason: str
) -> None:
    ledger.services.chunks = Corrupting(tmp_path / "data" / "chunks", damage)

    result = ledger.ingest(source)

    failed = [e for e in events_of(ledger, IntegrityFailed) if isinstance(e, IntegrityFailed)]
    assert result.saga is not None
    assert [event.check for event in failed] == [check]
    assert failed[0].expected != failed[0].actual
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, reason)
    started = [e.step for e in events_of(ledger, StepStarted) if isinstance(e, StepStarted)]
    assert "vector" not in started
    assert what_is_left(ledger) == {}


def test_cleanup_70_percent_lists_the_rest_as_orphans_until_swept(
    ledger: Ledger, chunks: FaultyChunks, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks.fail_deletes = {7, 8, 9}
    chunks.fail_creates = set()
    relational = ledger.services.relational

    def refuse(*_: object) -> int:
        raise StorageBackendError("relational", "upsert", "injected")

    monkeypatch.setattr(relational, "upsert", refuse)
    result = ledger.ingest(source)

    orphans = OrphanDirectory(ledger.projector)
    attempts = [
        event
        for event in events_of(ledger, CompensationAttempted)
        if isinstance(event, CompensationAttempted) and event.step == "upload"
    ]
    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    assert (attempts[0].removed, len(attempts[0].residue)) == (7, 3)
    assert [o.ref[-1] for o in orphans.unresolved() if "/0" in o.ref] == ["7", "8", "9"]
    assert len(events_of(ledger, SagaCompensationFailed)) == 1

    chunks.fail_deletes = set()
    report = ledger.sweep()

    assert report.failed == {}
    assert orphans.unresolved() == []
    assert len(events_of(ledger, OrphanRemoved)) >= 3
    assert len(events_of(ledger, SagaCompensated)) == 1
    assert what_is_left(ledger) == {}


def test_cleanup_catastrophic_leaves_no_other_compensation_out(
    ledger: Ledger, chunks: FaultyChunks, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        chunks.fail_lists = True
        raise StorageBackendError("relational", "upsert", "injected")

    monkeypatch.setattr(ledger.services.relational, "upsert", refuse)
    result = ledger.ingest(source)

    undone = {
        event.step
        for event in events_of(ledger, CompensationAttempted)
        if isinstance(event, CompensationAttempted)
    }
    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    assert undone == {"relational", "graph", "vector", "secure", "upload", "start"}
    assert set(what_is_left(ledger)) == {"chunks"}


def test_two_sagas_on_one_file_leave_each_other_alone(ledger: Ledger, source: Path) -> None:
    config = replace(QUICK, again=True)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(ledger.ingest(source, config)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = (result.document for result in results)
    assert first is not None
    assert second is not None

    ledger.delete(first)

    assert b"".join(ledger.documents.content(second)) == source.read_bytes()
    assert ledger.documents.verify(second).holds


def test_progress_callback_that_raises_changes_nothing(ledger: Ledger, source: Path) -> None:
    def explode(_: object) -> None:
        raise RuntimeError("a guest misbehaves")

    assert ledger.ingest(source, progress=explode).document is not None


def test_deadline_passed_rolls_back(ledger: Ledger, source: Path) -> None:
    result = ledger.ingest(source, replace(QUICK, deadline_s=0.000001))

    assert result.saga is not None
    assert result.saga.reason == "deadline_exceeded"
    assert events_of(ledger, CommitDecided) == []
    assert events_of(ledger, IntegrityVerified) == []
    assert what_is_left(ledger) == {}
