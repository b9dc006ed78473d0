"""Questions to the rollback statistics, with typed answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sagaledger.domain.saga.values import SagaStatus
from sagaledger.projections.engine.projector import Projector
from sagaledger.projections.read_models.rollback_views import SUMMED

__all__ = ["GroupKey", "RollbackDirectory", "RollbackFigures", "RollbackGroup"]

_US = 1_000_000


class GroupKey(StrEnum):
    """What sagas can be grouped by."""

    DAY = "day"
    REASON = "reason"
    STEP = "step"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class RollbackGroup:
    """What became of the sagas of one group; the columns of `rollbacks_by_…`."""

    key: str
    sagas: int
    completed: int
    rollbacks: int
    clean: int
    failed: int
    success_rate: float | None
    """The share of ended rollbacks that left nothing; None without one."""
    attempts: int
    attempts_failed: int
    removed: int
    removed_bytes: int
    residue: int
    retries: int
    retries_to_success: float | None
    p50_us: int | None
    p90_us: int | None
    p99_us: int | None
    longest_us: int | None


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
    retries_to_success: float
    """Retries of a saga that completed after some, on average; 0 without one."""
    compensation_attempts: int
    compensation_attempts_failed: int
    """Those that raised or left something."""
    removed: int
    """Chunks, rows, nodes, vectors and records that rollbacks removed."""
    removed_bytes: int
    """The stored bytes of the chunks among them."""
    residue: int
    """Things that failed rollbacks left: a chunk, or a document of a store, counts as one."""
    rollback_median_s: float
    """From the decision to roll back to its end; 0 where there was none."""
    rollback_p90_s: float
    rollback_p99_s: float
    rollback_longest_s: float
    by_reason: Mapping[str, int]
    by_step: Mapping[str, int]
    """Rollbacks by the step that was running, `-` where none was."""

    @property
    def rollback_success_rate(self) -> float:
        """The share of ended rollbacks that left nothing; 1 where none has ended."""
        ended = self.rolled_back + self.rollback_failed
        return self.rolled_back / ended if ended else 1.0


class RollbackDirectory:
    """Answers questions about rollbacks, always up to date with the log when asked."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def figures(self) -> RollbackFigures:
        """The counts over all sagas."""
        groups = self._groups("rollbacks_total")
        total = groups[0] if groups else _NOTHING
        outcomes: dict[str, int] = dict(
            tuple(row)
            for row in self._projector.rows(
                "SELECT outcome, count(*) FROM rollbacks GROUP BY outcome"
            )
        )
        return RollbackFigures(
            sagas=total.sagas,
            open=outcomes.get("", 0),
            completed=total.completed,
            rolled_back=outcomes.get(SagaStatus.COMPENSATED, 0),
            rollback_failed=outcomes.get(SagaStatus.COMPENSATION_FAILED, 0),
            set_aside=outcomes.get(SagaStatus.FAILED, 0),
            retries=total.retries,
            retries_to_success=total.retries_to_success or 0.0,
            compensation_attempts=total.attempts,
            compensation_attempts_failed=total.attempts_failed,
            removed=total.removed,
            removed_bytes=total.removed_bytes,
            residue=total.residue,
            rollback_median_s=(total.p50_us or 0) / _US,
            rollback_p90_s=(total.p90_us or 0) / _US,
            rollback_p99_s=(total.p99_us or 0) / _US,
            rollback_longest_s=(total.longest_us or 0) / _US,
            by_reason={group.key: group.rollbacks for group in self.by(GroupKey.REASON)},
            by_step={group.key: group.rollbacks for group in self.by(GroupKey.STEP)},
        )

    def by(self, key: GroupKey) -> Sequence[RollbackGroup]:
        """The figures of each group, in the order of their keys."""
        return self._groups(f"rollbacks_by_{key}")

    def _groups(self, view: str) -> list[RollbackGroup]:
        return [RollbackGroup(*row) for row in self._projector.rows(f"SELECT * FROM {view}")]


_NOTHING = RollbackGroup("all", *(0 for _ in SUMMED))
