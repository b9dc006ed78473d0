"""Whatever fails, everything begun is undone, and what cannot be is listed until it can."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.events import OrphanRemoved
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    SagaCompensated,
    SagaCompensationFailed,
)
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import IntegrityVerified, UploadResumed
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import SqliteOrphanDirectory

from tests.support.faults import (
    Fault,
    FaultyChunks,
    break_port,
)
from tests.support.ledgers import QUICK, events_of, what_is_left

REFUSED = StorageBackendError("relational", "upsert", "injected")


def test_resume_succeeds_on_second_attempt(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates = {6}

    result = ledger.ingest(source)

    assert result.document is not None
    resumed = events_of(ledger, UploadResumed)
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


def test_cleanup_70_percent_lists_the_rest_as_orphans_until_swept(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_deletes = {7, 8, 9}
    break_port(ledger, "relational", upsert=Fault(REFUSED))

    result = ledger.ingest(source)

    orphans = SqliteOrphanDirectory(ledger.projector)
    attempts = [
        event for event in events_of(ledger, CompensationAttempted) if event.step == "upload"
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
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    def lose_the_chunk_store() -> None:
        chunks.fail_lists = True

    break_port(ledger, "relational", upsert=Fault(REFUSED, also=lose_the_chunk_store))

    result = ledger.ingest(source)

    undone = {event.step for event in events_of(ledger, CompensationAttempted)}
    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    assert undone == {"relational", "graph", "vector", "secure", "upload", "start"}
    assert set(what_is_left(ledger)) == {"chunks"}


def test_deadline_passed_rolls_back(ledger: Ledger, source: Path) -> None:
    result = ledger.ingest(source, replace(QUICK, deadline_s=0.000001))

    assert result.saga is not None
    assert result.saga.reason == "deadline_exceeded"
    assert events_of(ledger, CommitDecided) == []
    assert events_of(ledger, IntegrityVerified) == []
    assert what_is_left(ledger) == {}


def test_corrupt_chunk_metadata_rolls_back_at_once(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    def corrupt_the_upload() -> None:
        with sqlite3.connect(tmp_path / "data" / "events.db") as connection:
            connection.execute(
                "UPDATE stored_events SET state=x'00c1' WHERE type LIKE 'upload-started/%'"
            )
        connection.close()

    refused = StorageBackendError("chunks", "create", "injected")
    break_port(ledger, "chunks", create=Fault(refused, also=corrupt_the_upload))

    result = ledger.ingest(source)

    assert result.saga is not None
    assert (result.saga.status, result.saga.reason) == (SagaStatus.COMPENSATED, "metadata_corrupt")
    assert what_is_left(ledger) == {}


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize(
    ("port", "method", "step"),
    [
        ("chunks", "open_prefix", "start"),
        ("manifests", "put", "secure"),
        ("vectors", "upsert", "vector"),
        ("graph", "upsert", "graph"),
        ("relational", "upsert", "relational"),
    ],
)
def test_step_that_fails_is_undone_with_all_before_it(
    ledger: Ledger, source: Path, port: str, method: str, step: str, after: bool
) -> None:
    refused = StorageBackendError(port, method, "injected")
    break_port(ledger, port, **{method: Fault(refused, after=after)})

    result = ledger.ingest(source)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert next(iter(result.saga.compensation_timings_s)) == step
    assert result.saga.errors
    assert what_is_left(ledger) == {}


class LateWriter(LocalFolderChunkStore):
    """The real chunk store, where a former owner finishes a chunk after the chunks were removed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.late = False

    def close_prefix(self, prefix: str) -> None:
        if not self.late:
            self.late = True
            writer = self.create(prefix + "00000042")
            writer.write(b"late")
            writer.commit()
        super().close_prefix(prefix)


def test_chunk_that_a_former_owner_finishes_during_the_rollback_is_removed_too(
    ledger: Ledger, tmp_path: Path, source: Path
) -> None:
    ledger.services.chunks = LateWriter(tmp_path / "data" / "chunks")
    break_port(ledger, "relational", upsert=Fault(REFUSED))

    result = ledger.ingest(source)

    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATED
    assert what_is_left(ledger) == {}
