"""`StepList`: one row per step that a saga has begun, forward and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.state import StepState
from sagaledger.projections.engine.projector import Rule, each
from sagaledger.projections.engine.tables import Table, integer, text

__all__ = ["StepList"]


class StepList:
    """What each step did, and what its undo did."""

    name = "steps"
    version = 1
    tables = (
        Table(
            "steps",
            "One step that a saga has begun.",
            (
                text("saga_id", "The saga."),
                text("step", "The name of the step."),
                text("state", "`in_doubt` while it runs, then `completed` or `failed`."),
                integer("attempts", "How often its action was begun."),
                integer("started_us", "When it was first begun, in µs since 1970 UTC."),
                integer("ended_us", "When its last attempt ended, in µs since 1970 UTC; or 0.", 0),
                integer("duration_us", "All its attempts together that ended, in µs.", 0),
                text("error", "What its last failure said; empty if none did.", ""),
                integer("undo_attempts", "How often its undo was tried.", 0),
                integer("undo_removed", "What these tries have removed.", 0),
                integer("undo_residue", "Things that the last try left.", 0),
                text("undo_error", "What the last try said; empty if nothing.", ""),
                integer("undo_duration_us", "All tries of the undo together, in µs.", 0),
                integer("undone_us", "When the last try ended, in µs since 1970 UTC; or 0.", 0),
            ),
            key=("saga_id", "step"),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """How each type of event changes the step's row."""
        return {
            StepStarted: each(_begin),
            StepCompleted: each(_complete),
            StepFailed: each(_fail),
            CompensationAttempted: each(_undo),
        }


def _begin(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    assert isinstance(recorded.event, StepStarted)
    connection.execute(
        "INSERT INTO steps (saga_id, step, state, attempts, started_us) VALUES (?,?,?,1,?) "
        "ON CONFLICT (saga_id, step) DO UPDATE SET state=excluded.state, attempts=attempts+1, "
        "ended_us=0",
        (recorded.originator_id.hex, recorded.event.step, StepState.IN_DOUBT, recorded.at_us),
    )


def _complete(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, StepCompleted)
    _end(connection, recorded, event, StepState.COMPLETED, "")


def _fail(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, StepFailed)
    _end(connection, recorded, event, StepState.FAILED, event.error)


def _end(
    connection: sqlite3.Connection,
    recorded: RecordedEvent,
    event: StepCompleted | StepFailed,
    state: StepState,
    error: str,
) -> None:
    connection.execute(
        "UPDATE steps SET state=?, ended_us=?, duration_us=duration_us+?, error=? "
        "WHERE saga_id=? AND step=?",
        (
            state,
            recorded.at_us,
            round(event.duration_s * 1_000_000),
            error,
            recorded.originator_id.hex,
            event.step,
        ),
    )


def _undo(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
    event = recorded.event
    assert isinstance(event, CompensationAttempted)
    connection.execute(
        "UPDATE steps SET undo_attempts=undo_attempts+1, undo_removed=undo_removed+?, "
        "undo_residue=?, undo_error=?, undo_duration_us=undo_duration_us+?, undone_us=? "
        "WHERE saga_id=? AND step=?",
        (
            event.removed,
            len(event.residue),
            event.error,
            round(event.duration_s * 1_000_000),
            recorded.at_us,
            recorded.originator_id.hex,
            event.step,
        ),
    )
