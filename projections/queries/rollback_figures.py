"""Typed queries over the rollback statistics."""

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
    """The columns by which sagas can be grouped."""

    DAY = "day"
    REASON = "reason"
    STEP = "step"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class RollbackGroup:
    """The outcomes of one group of sagas: the columns of `rollbacks_by_…`."""

    key: str
    sagas: int
    completed: int
    rollbacks: int
    clean: int
    failed: int
    success_rate: float | None
    """The share of ended rollbacks without residue; None without ended rollbacks."""
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
    """Rollbacks that ended with every probe empty."""
    rollback_failed: int
    """Rollbacks that ended with residue that is not swept yet."""
    set_aside: int
    retries: int
    """Repeated attempts at forward steps."""
    retries_to_success: float
    """The mean number of retries of completed sagas with retries; 0 without such a saga."""
    compensation_attempts: int
    compensation_attempts_failed: int
    """The attempts that raised an error or left residue."""
    removed: int
    """Chunks, rows, nodes, vectors and records that rollbacks removed."""
    removed_bytes: int
    """The stored bytes of the removed chunks."""
    residue: int
    """Residue of failed rollbacks; a chunk, or a document in a store, counts as one."""
    rollback_median_s: float
    """From the decision to roll back until the end of the rollback; 0 without rollbacks."""
    rollback_p90_s: float
    rollback_p99_s: float
    rollback_longest_s: float
    by_reason: Mapping[str, int]
    by_step: Mapping[str, int]
    """Rollbacks by the step that was running; `-` if no step was."""

    @property
    def rollback_success_rate(self) -> float:
        """The share of ended rollbacks without residue; 1 if none has ended."""
        ended = self.rolled_back + self.rollback_failed
        return self.rolled_back / ended if ended else 1.0


class RollbackDirectory:
    """Queries the rollback statistics. Every query first catches up with the log."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def figures(self) -> RollbackFigures:
        """Counts over all sagas."""
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
        """The figures of each group, in key order."""
        return self._groups(f"rollbacks_by_{key}")

    def _groups(self, view: str) -> list[RollbackGroup]:
        return [RollbackGroup(*row) for row in self._projector.rows(f"SELECT * FROM {view}")]


_NOTHING = RollbackGroup("all", *(0 for _ in SUMMED))
