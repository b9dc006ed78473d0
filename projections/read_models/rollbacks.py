"""`RollbackStatistics`: the outcome of each saga, and the effort of its rollback."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaParked,
    SagaResumed,
    SagaStarted,
)
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import ChunksDeleted, UploadStarted
from sagaledger.projections.engine.projector import Rule, each
from sagaledger.projections.engine.tables import Table, integer, text
from sagaledger.projections.read_models.rollback_views import ROLLBACK_VIEWS

__all__ = ["RollbackStatistics"]

_OUTCOMES: dict[type[Event], SagaStatus] = {
    SagaCompleted: SagaStatus.COMPLETED,
    SagaCompensated: SagaStatus.COMPENSATED,
    SagaCompensationFailed: SagaStatus.COMPENSATION_FAILED,
    SagaParked: SagaStatus.FAILED,
}


class RollbackStatistics:
    """One row per saga: its outcome, and the effort of its rollback."""

    name = "rollbacks"
    version = 3
    tables = (
        Table(
            "rollbacks",
            "One saga with its outcome and the effort of its rollback.",
            (
                text("saga_id", "The saga's id."),
                text("definition", "The saga definition."),
                integer("started_us", "When it started, in µs since 1970 UTC."),
                text("outcome", "The status it ended with; empty while it is open.", ""),
                integer("ended_us", "When it ended, in µs since 1970 UTC; 0 while it is open.", 0),
                integer("retries", "Repeated attempts at forward steps.", 0),
                text("reason", "Why it was rolled back; empty without a rollback.", ""),
                text("step", "The step that was running then, `-` if none; else empty.", ""),
                integer("rollback_us", "When the rollback was decided, in µs; 0 without one.", 0),
                integer("attempts", "Attempts to undo a step.", 0),
                integer("attempts_failed", "Attempts that raised an error or left residue.", 0),
                integer("removed", "Chunks, rows, nodes, vectors and records removed.", 0),
                integer("removed_bytes", "The stored bytes of the removed chunks.", 0),
                integer("residue", "Items that the last attempt to undo each step left.", 0),
                text("upload_id", "The saga's upload; empty without one.", ""),
            ),
            key=("saga_id",),
            indexes=(("upload_id",), ("ended_us",)),
        ),
        Table(
            "rollback_steps",
            "One step that a rollback has tried to undo.",
            (
                text("saga_id", "The saga's id."),
                text("step", "The step's name."),
                integer("residue", "Items that the last attempt left."),
            ),
            key=("saga_id", "step"),
        ),
        *ROLLBACK_VIEWS,
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for a saga's row."""
        return {
            **dict.fromkeys(_OUTCOMES, each(_end)),
            SagaStarted: each(_start),
            RetryScheduled: each(_retry),
            RollbackRequired: each(_require),
            CompensationAttempted: each(_attempted),
            UploadStarted: each(_upload),
            ChunksDeleted: each(_remove_chunks),
            SagaClaimed: each(_reopen),
            SagaResumed: each(_reopen),
        }


def _start(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, SagaStarted)
    connection.execute(
        "INSERT INTO rollbacks (saga_id, definition, started_us) VALUES (?,?,?)",
        (recorded.originator_id.hex, recorded.event.definition, recorded.at_us),
    )


def _retry(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE rollbacks SET retries=retries+1 WHERE saga_id=?", (recorded.originator_id.hex,)
    )


def _require(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, RollbackRequired)
    connection.execute(
        "UPDATE rollbacks SET reason=?, step=?, rollback_us=? WHERE saga_id=?",
        (event.reason, event.step or "-", recorded.at_us, recorded.originator_id.hex),
    )


def _reopen(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    # A worker that claims or resumes an ended saga reopens it.
    connection.execute(
        "UPDATE rollbacks SET outcome='', ended_us=0 WHERE saga_id=? AND outcome<>''",
        (recorded.originator_id.hex,),
    )


def _end(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    connection.execute(
        "UPDATE rollbacks SET outcome=?, ended_us=? WHERE saga_id=?",
        (_OUTCOMES[type(recorded.event)].value, recorded.at_us, recorded.originator_id.hex),
    )


def _attempted(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, CompensationAttempted)
    saga_id = recorded.originator_id.hex
    connection.execute(
        "UPDATE rollbacks SET attempts=attempts+1, attempts_failed=attempts_failed+?, "
        "removed=removed+? WHERE saga_id=?",
        (int(bool(event.error or event.residue)), event.removed, saga_id),
    )
    connection.execute(
        "INSERT INTO rollback_steps VALUES (?,?,?) "
        "ON CONFLICT (saga_id, step) DO UPDATE SET residue=excluded.residue",
        (saga_id, event.step, len(event.residue)),
    )
    connection.execute(
        "UPDATE rollbacks SET residue=(SELECT sum(residue) FROM rollback_steps WHERE saga_id=?1) "
        "WHERE saga_id=?1",
        (saga_id,),
    )


def _upload(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, UploadStarted)
    connection.execute(
        "UPDATE rollbacks SET upload_id=? WHERE saga_id=?",
        (recorded.originator_id.hex, recorded.event.saga_id),
    )


def _remove_chunks(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, ChunksDeleted)
    # The later deletion of a document is not a rollback: its chunks do not count.
    connection.execute(
        "UPDATE rollbacks SET removed_bytes=removed_bytes+? WHERE upload_id=? AND reason<>''",
        (recorded.event.size_bytes, recorded.originator_id.hex),
    )
