"""What a caller gets back from a saga."""

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
    """How a saga stands after a worker let go of it."""

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
    """What could not be removed, or could not be shown to be gone."""
    unverified: tuple[str, ...]
    """Steps that were undone without a probe to prove it."""
    timings_s: Mapping[str, float]
    """Seconds spent in each step's action."""
    compensation_timings_s: Mapping[str, float]
    outputs: Mapping[str, Parameters] = field(default_factory=dict)
    """What each completed step returned."""

    @property
    def success(self) -> bool:
        """Whether every step is done."""
        return self.status is SagaStatus.COMPLETED


def result_of(saga: Saga) -> SagaExecutionResult:
    """The result that a saga's state amounts to."""
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
