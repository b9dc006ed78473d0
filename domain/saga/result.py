"""The result of driving a saga."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.values import Parameters

__all__ = ["SagaExecutionResult", "result_of"]


@dataclass(frozen=True, slots=True)
class SagaExecutionResult:
    """The state of a saga after a worker has released it."""

    saga_id: UUID
    definition: str
    status: SagaStatus
    decided: bool
    """Whether the commit is decided; an open saga that has decided only goes forward."""
    paused: bool
    reason: str
    """Why it was rolled back (a `RollbackReason`), or an empty string."""
    errors: tuple[str, ...]
    compensation_errors: tuple[str, ...]
    residue: tuple[Residue, ...]
    """Items that could not be removed, or whose removal could not be verified."""
    unverified: tuple[str, ...]
    """Steps that were undone without a probe to prove it."""
    timings_s: Mapping[str, float]
    """Seconds spent in each step's action."""
    compensation_timings_s: Mapping[str, float]
    outputs: Mapping[str, Parameters] = field(default_factory=dict)
    """The output of each completed step."""

    @property
    def success(self) -> bool:
        """Whether every step is done."""
        return self.status is SagaStatus.COMPLETED


def result_of(saga: Saga) -> SagaExecutionResult:
    """The result for a saga's state."""
    return SagaExecutionResult(
        saga_id=saga.id,
        definition=saga.definition,
        status=saga.status,
        decided=saga.decided,
        paused=saga.paused,
        reason=saga.rollback.reason if saga.rollback else "",
        errors=tuple(saga.errors) or _last_errors(saga),
        compensation_errors=tuple(saga.compensation_errors),
        residue=saga.residue,
        unverified=saga.unverified,
        timings_s={name: p.duration_s for name, p in saga.steps.items() if p.attempt},
        compensation_timings_s={n: c.duration_s for n, c in saga.compensations.items()},
        outputs=saga.outputs,
    )


def _last_errors(saga: Saga) -> tuple[str, ...]:
    return tuple(f"{name}: {p.error}" for name, p in saga.steps.items() if p.error)
