"""`RollbackStatistics`: what became of each saga, and what its rollback took."""

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
            "One saga, with what came of it and what its rollback took.",
            (
                text("saga_id", "Its id."),
                text("definition", "What kind of saga it is."),
                integer("started_us", "When it began, in µs since 1970 UTC."),
                text("outcome", "The status it ended with; empty while it is open.", ""),
                integer("ended_us", "When it ended, in µs since 1970 UTC; 0 while it is open.", 0),
                integer("retries", "Further attempts at steps of the forward path.", 0),
                text("reason", "Why it was rolled back; empty if it was not.", ""),
                text("step", "The step that ran then, `-` for none; empty as the reason.", ""),
                integer("rollback_us", "When that was decided, in µs since 1970 UTC; else 0.", 0),
                integer("attempts", "Tries to undo a step.", 0),
                integer("attempts_failed", "Those that raised or left something.", 0),
                integer("removed", "Chunks, rows, nodes, vectors and records removed.", 0),
                integer("removed_bytes", "The stored bytes of the chunks among them.", 0),
                integer("residue", "Things that the last try to undo each step left.", 0),
                text("upload_id", "Its upload; empty where it has none.", ""),
            ),
            key=("saga_id",),
            indexes=(("upload_id",), ("ended_us",)),
        ),
        Table(
            "rollback_steps",
            "One step that a rollback has tried to undo.",
            (
                text("saga_id", "The saga."),
                text("step", "The step."),
                integer("residue", "Things that the last try left."),
            ),
            key=("saga_id", "step"),
        ),
        *ROLLBACK_VIEWS,
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """How each type of event changes the saga's row."""
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
    # Whoever takes up a saga that has ended opens it again.
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
    # The chunks of a document that is deleted later on were not rolled back.
    connection.execute(
        "UPDATE rollbacks SET removed_bytes=removed_bytes+? WHERE upload_id=? AND reason<>''",
        (recorded.event.size_bytes, recorded.originator_id.hex),
    )
