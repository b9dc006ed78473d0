"""One line about a saga."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sagaledger.domain.saga.values import SagaStatus

__all__ = ["SagaSummary"]


@dataclass(frozen=True, slots=True)
class SagaSummary:
    """One line about a saga, as a projection keeps it."""

    saga_id: UUID
    definition: str
    status: SagaStatus
    paused: bool
    decided: bool
    step: str
    """The step last begun."""
    source: str
    document_id: str
    owner: str
    started_us: int
    ended_us: int
    reason: str
    """Why it was rolled back, or an empty string."""
    attempt: int
    """Which try of the step it is."""
    changed_us: int
    """When it last recorded anything."""
