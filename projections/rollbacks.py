"""`RollbackStatistics`: what became of each saga, and what its rollback took."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from sagaledger.domain.events import (
    CompensationAttempted,
    Event,
    Recorded,
    RetryScheduled,
    RollbackRequired,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaResumed,
    SagaSetAside,
    SagaStarted,
)
from sagaledger.domain.values import SagaStatus
from sagaledger.projections.engine import Projector, Rule, each
from sagaledger.projections.tables import Table, integer, text

__all__ = ["RollbackDirectory", "RollbackFigures", "RollbackStatistics"]

_OUTCOMES: dict[type[Event], SagaStatus] = {
    SagaCompleted: SagaStatus.COMPLETED,
    SagaCompensated: SagaStatus.COMPENSATED,
    SagaCompensationFailed: SagaStatus.COMPENSATION_FAILED,
    SagaSetAside: SagaStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class RollbackFigures:
    """Counts over all sagas of the log."""

    sagas: int
    open: int
    completed: int
    rolled_back: int
    """Ended with every probe empty."""
    rollback_failed: int
    """Ended with something left, and not swept yet."""
    set_aside: int
    retries: int
    """Further attempts at steps of the forward path."""
    compensation_attempts: int
    compensation_attempts_failed: int
    """Those that raised or left something."""
    removed: int
    """Chunks, rows, nodes, vectors and records that rollbacks removed."""
    residue: int
    """Things that failed rollbacks left: a chunk, or a document of a store, counts as one."""
    rollback_median_s: float
    """From the decision to roll back to its end; 0 where there was none."""
    rollback_longest_s: float
    by_reason: Mapping[str, int]
    by_step: Mapping[str, int]
    """Rollbacks by the step that was running, `-` where none was."""

    @property
    def rollback_success_rate(self) -> float:
        """The share of ended rollbacks that left nothing; 1 where none has ended."""
        ended = self.rolled_back + self.rollback_failed
        return self.rolled_back / ended if ended else 1.0


class RollbackStatistics:
    """One row per saga: its outcome, and the effort of its rollback."""

    name = "rollbacks"
    version = 2
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
            ),
            key=("saga_id",),
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
            SagaClaimed: each(_reopen),
            SagaResumed: each(_reopen),
        }


def _start(connection: sqlite3.Connection, recorded: Recorded) -> None:
    assert isinstance(recorded.event, SagaStarted)
    connection.execute(
        "INSERT INTO rollbacks (saga_id, definition, started_us) VALUES (?,?,?)",
        (recorded.originator_id.hex, recorded.event.definition, recorded.at_us),
    )


def _retry(connection: sqlite3.Connection, recorded: Recorded) -> None:
    connection.execute(
        "UPDATE rollbacks SET retries=retries+1 WHERE saga_id=?", (recorded.originator_id.hex,)
    )


def _require(connection: sqlite3.Connection, recorded: Recorded) -> None:
    event = recorded.event
    assert isinstance(event, RollbackRequired)
    connection.execute(
        "UPDATE rollbacks SET reason=?, step=?, rollback_us=? WHERE saga_id=?",
        (event.reason, event.step or "-", recorded.at_us, recorded.originator_id.hex),
    )


def _reopen(connection: sqlite3.Connection, recorded: Recorded) -> None:
    # Whoever takes up a saga that has ended opens it again.
    connection.execute(
        "UPDATE rollbacks SET outcome='', ended_us=0 WHERE saga_id=? AND outcome<>''",
        (recorded.originator_id.hex,),
    )


def _end(connection: sqlite3.Connection, recorded: Recorded) -> None:
    connection.execute(
        "UPDATE rollbacks SET outcome=?, ended_us=? WHERE saga_id=?",
        (_OUTCOMES[type(recorded.event)].value, recorded.at_us, recorded.originator_id.hex),
    )


def _attempted(connection: sqlite3.Connection, recorded: Recorded) -> None:
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


class RollbackDirectory:
    """Answers questions about rollbacks, always up to date with the log when asked."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def figures(self) -> RollbackFigures:
        """The counts over all sagas."""
        outcomes = self._counts("SELECT outcome, count(*) FROM rollbacks GROUP BY outcome")
        row = self._projector.rows(
            "SELECT count(*), coalesce(sum(retries), 0), coalesce(sum(attempts), 0), "
            "coalesce(sum(attempts_failed), 0), coalesce(sum(removed), 0) FROM rollbacks"
        )[0]
        # Wall clocks may be set back: no rollback took less than nothing.
        durations_s = sorted(
            max(0, ended_us - begun_us) / 1_000_000
            for ended_us, begun_us in self._projector.rows(
                "SELECT ended_us, rollback_us FROM rollbacks WHERE reason<>'' "
                "AND outcome IN ('compensated', 'compensation_failed')"
            )
        )
        return RollbackFigures(
            sagas=row[0],
            open=outcomes.get("", 0),
            completed=outcomes.get(SagaStatus.COMPLETED, 0),
            rolled_back=outcomes.get(SagaStatus.COMPENSATED, 0),
            rollback_failed=outcomes.get(SagaStatus.COMPENSATION_FAILED, 0),
            set_aside=outcomes.get(SagaStatus.FAILED, 0),
            retries=row[1],
            compensation_attempts=row[2],
            compensation_attempts_failed=row[3],
            removed=row[4],
            residue=self._residue(),
            rollback_median_s=median(durations_s) if durations_s else 0.0,
            rollback_longest_s=durations_s[-1] if durations_s else 0.0,
            by_reason=self._counts(
                "SELECT reason, count(*) FROM rollbacks WHERE reason<>'' GROUP BY reason"
            ),
            by_step=self._counts(
                "SELECT step, count(*) FROM rollbacks WHERE reason<>'' GROUP BY step"
            ),
        )

    def _residue(self) -> int:
        total: int = self._projector.rows(
            "SELECT coalesce(sum(residue), 0) FROM rollback_steps JOIN rollbacks USING (saga_id) "
            "WHERE outcome=?",
            (SagaStatus.COMPENSATION_FAILED.value,),
        )[0][0]
        return total

    def _counts(self, query: str) -> dict[str, int]:
        return {str(key): count for key, count in self._projector.rows(query)}
