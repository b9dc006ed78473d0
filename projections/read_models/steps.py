"""`StepList`: one row per step that a saga has started, with its action and its undo."""

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
    """The attempts at each step and at its undo, with their results."""

    name = "steps"
    version = 1
    tables = (
        Table(
            "steps",
            "One step that a saga has started.",
            (
                text("saga_id", "The saga's id."),
                text("step", "The step's name."),
                text("state", "`in_doubt` while it runs, then `completed` or `failed`."),
                integer("attempts", "The number of attempts at its action."),
                integer("started_us", "When its first attempt started, in µs since 1970 UTC."),
                integer("ended_us", "When its last attempt ended, in µs since 1970 UTC; or 0.", 0),
                integer("duration_us", "The total duration of its ended attempts, in µs.", 0),
                text("error", "The error of its last failed attempt; empty without one.", ""),
                integer("undo_attempts", "The number of attempts to undo it.", 0),
                integer("undo_removed", "The number of items that these attempts removed.", 0),
                integer("undo_residue", "Items that the last attempt to undo it left.", 0),
                text("undo_error", "The error of that attempt; empty without one.", ""),
                integer("undo_duration_us", "The total duration of the attempts, in µs.", 0),
                integer("undone_us", "When the last of them ended, in µs since 1970 UTC; or 0.", 0),
            ),
            key=("saga_id", "step"),
        ),
    )

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rules for a step's row."""
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
