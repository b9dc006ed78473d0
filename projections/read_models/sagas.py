"""`SagaList`: one row per saga and one per claim, and the directory that finds sagas."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from uuid import UUID

from sagaledger.domain.document.events import DocumentSecured
from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaCancelled,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaParked,
    SagaPaused,
    SagaResumed,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.events import (
    ChunksDeleted,
    ChunkWritten,
    IntegrityFailed,
    IntegrityVerified,
    UploadCompleted,
    UploadInterrupted,
    UploadResumed,
    UploadStarted,
)
from sagaledger.projections.engine.projector import Projector, Rule, each
from sagaledger.projections.engine.tables import Table, integer, text
from sagaledger.projections.read_models.version_1 import makes_document, secured_by

__all__ = ["SagaList", "SqliteSagaDirectory"]

_OPEN = tuple(status.value for status in SagaStatus if status.is_open)
_OPEN_SQL = ",".join(f"'{status}'" for status in _OPEN)
_ENDED: dict[type[Event], SagaStatus] = {
    SagaCompleted: SagaStatus.COMPLETED,
    SagaCompensated: SagaStatus.COMPENSATED,
    SagaCompensationFailed: SagaStatus.COMPENSATION_FAILED,
    SagaParked: SagaStatus.FAILED,
}
_CHANGES: tuple[type[Event], ...] = (
    UploadStarted,
    RollbackRequired,
    StepStarted,
    CommitDecided,
    SagaPaused,
    SagaCancelled,
    DocumentSecured,
)
_SIGNS_OF_LIFE: tuple[type[Event], ...] = (StepFailed, RetryScheduled, CompensationAttempted)
_UPLOADING: tuple[type[Event], ...] = (
    ChunkWritten,
    UploadInterrupted,
    UploadResumed,
    UploadCompleted,
    IntegrityVerified,
    IntegrityFailed,
    ChunksDeleted,
)


class SagaList:
    """The state of every saga, by the same rules as `fold_saga`."""

    name = "sagas"
    version = 5
    tables = (
        Table(
            "sagas",
            "One saga.",
            (
                text("saga_id", "The saga's id."),
                integer("position", "The position of its first event: sorts sagas by age."),
                text("definition", "The saga definition, such as `streaming-upload`."),
                text("status", "Its status; see `SagaStatus`."),
                integer("paused", "1 while it is paused.", 0),
                integer("decided", "1 once the commit is decided.", 0),
                text("step", "The last step that started.", ""),
                integer("attempt", "The number of the attempt at that step.", 0),
                text("source", "The file that it reads; empty without one."),
                text("document_id", "The document that it creates or deletes; empty at first."),
                text("owner", "The worker that drives it, or drove it last.", ""),
                integer("started_us", "When it started, in µs since 1970 UTC."),
                integer("changed_us", "When its last event was recorded, in µs since 1970 UTC."),
                integer("rollback_us", "When its rollback was decided, in µs; 0 without one.", 0),
                integer("ended_us", "When it ended, in µs since 1970 UTC; 0 while it is open.", 0),
                text("upload_id", "Its upload; empty before it has one.", ""),
                text("reason", "Why it was rolled back; empty if it was not.", ""),
                integer("device", "The device of its source; 0 before it was looked at.", 0),
                integer("inode", "The inode of its source; 0 before it was looked at.", 0),
                integer("version_1", "1 if its steps tell of a document in their outputs.", 0),
            ),
            key=("saga_id",),
            indexes=(("status", "position"), ("document_id",), ("upload_id",)),
        ),
        Table(
            "claims",
            "One claim of a saga by a worker.",
            (
                text("saga_id", "The saga's id."),
                integer("epoch", "The number of the claim, from 1."),
                text("owner", "The worker's name."),
                integer("claimed_us", "When the worker claimed it, in µs since 1970 UTC."),
                integer("taken_over", "1 if another worker had claimed the open saga before."),
            ),
            key=("saga_id", "epoch"),
            indexes=(("claimed_us",),),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for a saga's row."""
        changes = dict.fromkeys((*_ENDED, *_CHANGES), each(_change))
        return {
            **changes,
            SagaStarted: each(_insert),
            SagaClaimed: each(_claim),
            StepCompleted: each(_complete_step),
            SagaResumed: each(_resume),
            **dict.fromkeys(_SIGNS_OF_LIFE, each(_touch)),
            **dict.fromkeys(_UPLOADING, _touch_by_upload),
        }


def _change(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    saga_id = recorded.originator_id.hex
    changes: dict[str, object] = {}
    match event:
        case UploadStarted():
            saga_id = event.saga_id
            changes = {
                "device": event.fingerprint.device,
                "inode": event.fingerprint.inode,
                "upload_id": recorded.originator_id.hex,
            }
        case RollbackRequired():
            status = SagaStatus.COMPENSATING.value
            changes = {"status": status, "reason": event.reason, "paused": 0}
            changes["rollback_us"] = recorded.at_us
        case StepStarted():
            changes = {"step": event.step, "attempt": event.attempt}
        case DocumentSecured():
            saga_id, changes = event.saga_id, {"document_id": event.document_id}
        case CommitDecided():
            changes = {"decided": 1}
        case SagaPaused() | SagaCancelled():
            changes = {"paused": int(isinstance(event, SagaPaused))}
        case _ if type(event) in _ENDED:
            changes = {"status": _ENDED[type(event)].value, "ended_us": recorded.at_us}
    changes["changed_us"] = recorded.at_us
    assignments = ", ".join(f"{column}=?" for column in changes)
    connection.execute(
        f"UPDATE sagas SET {assignments} WHERE saga_id=?", (*changes.values(), saga_id)
    )


def _complete_step(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    _touch(connection, recorded)
    assert isinstance(recorded.event, StepCompleted)
    if secured := secured_by(recorded.originator_id, recorded.event):
        connection.execute(
            "UPDATE sagas SET document_id=? WHERE saga_id=? AND version_1=1",
            (secured.document_id, secured.saga_id),
        )


def _touch(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE sagas SET changed_us=? WHERE saga_id=?",
        (recorded.at_us, recorded.originator_id.hex),
    )


def _touch_by_upload(connection: sqlite3.Connection, run: Sequence[RecordedEvent]) -> None:
    # For each upload of a run only the time of the last event counts.
    if isinstance(run, ChunkRun):
        times = dict(zip(run.upload_ids, run.at_us, strict=True))
    else:
        times = {recorded.originator_id.hex: recorded.at_us for recorded in run}
    connection.executemany(
        "UPDATE sagas SET changed_us=? WHERE upload_id=?",
        [(at_us, upload_id) for upload_id, at_us in times.items()],
    )


def _insert(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, SagaStarted)
    connection.execute(
        "INSERT INTO sagas (saga_id, position, definition, status, source, document_id, "
        "started_us, changed_us, version_1) VALUES (?,?,?,?,?,?,?,?,?)",
        (
            recorded.originator_id.hex,
            recorded.position,
            event.definition,
            SagaStatus.PENDING.value,
            str(event.parameters.get("source", "")),
            str(event.parameters.get("document_id", "")),
            recorded.at_us,
            recorded.at_us,
            int(makes_document(event)),
        ),
    )


def _claim(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, SagaClaimed)
    saga_id = recorded.originator_id.hex
    connection.execute(
        "INSERT INTO claims SELECT saga_id, ?, ?, ?, owner NOT IN ('', ?) AND paused=0 "
        f"AND status IN ({_OPEN_SQL}) FROM sagas WHERE saga_id=?",
        (event.epoch, event.owner, recorded.at_us, event.owner, saga_id),
    )
    connection.execute(
        "UPDATE sagas SET owner=?, status=CASE status "
        "WHEN 'pending' THEN 'running' WHEN 'compensation_failed' THEN 'compensating' "
        "ELSE status END, ended_us=0, changed_us=? WHERE saga_id=?",
        (event.owner, recorded.at_us, saga_id),
    )


def _resume(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE sagas SET paused=0, ended_us=0, status=CASE WHEN status<>'failed' THEN status "
        "WHEN reason<>'' THEN 'compensating' ELSE 'running' END, changed_us=? WHERE saga_id=?",
        (recorded.at_us, recorded.originator_id.hex),
    )


class SqliteSagaDirectory:
    """Finds sagas. Every query first catches up with the log."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def open_sagas(self) -> Sequence[SagaSummary]:
        """Every saga that has not ended, oldest first."""
        marks = ",".join("?" * len(_OPEN))
        return self._find(f"WHERE status IN ({marks}) ORDER BY position", _OPEN)

    def unclean_sagas(self) -> Sequence[SagaSummary]:
        """Every saga whose rollback left residue."""
        return self._find(
            "WHERE status=? ORDER BY position", (SagaStatus.COMPENSATION_FAILED.value,)
        )

    def all_sagas(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas, newest first."""
        return self._find("ORDER BY position DESC LIMIT ?", (limit,))

    def with_status(self, status: SagaStatus, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas with this status, newest first."""
        return self._find("WHERE status=? ORDER BY position DESC LIMIT ?", (status.value, limit))

    def by_id_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas whose id starts with this prefix."""
        return self._find("WHERE substr(saga_id, 1, ?)=?", (len(prefix), prefix))

    def by_document_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas about a document whose id starts with this prefix, oldest first."""
        return self._find(
            "WHERE substr(document_id, 1, ?)=? ORDER BY position", (len(prefix), prefix)
        )

    def reading(self, device: int, inode: int) -> Sequence[SagaSummary]:
        """Open sagas that read this file."""
        marks = ",".join("?" * len(_OPEN))
        return self._find(
            f"WHERE device=? AND inode=? AND status IN ({marks})", (device, inode, *_OPEN)
        )

    def _find(self, condition: str, bindings: Sequence[object]) -> Sequence[SagaSummary]:
        rows = self._projector.rows(f"SELECT * FROM sagas {condition}", bindings)
        return [
            SagaSummary(
                saga_id=UUID(row["saga_id"]),
                definition=row["definition"],
                status=SagaStatus(row["status"]),
                paused=bool(row["paused"]),
                decided=bool(row["decided"]),
                step=row["step"],
                source=row["source"],
                document_id=row["document_id"],
                owner=row["owner"],
                started_us=row["started_us"],
                ended_us=row["ended_us"],
                reason=row["reason"],
                attempt=row["attempt"],
                changed_us=row["changed_us"],
            )
            for row in rows
        ]
