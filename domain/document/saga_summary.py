"""One line about a saga and about the file or document that it deals with."""

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
    """The step that began last."""
    source: str
    """The file it reads, or was made of; empty for a saga without one."""
    document_id: str
    """The document it makes or deletes; empty for a saga without one."""
    owner: str
    """The worker that claimed it last."""
    started_us: int
    """Wall time in microseconds since the epoch, as the others of this unit."""
    ended_us: int
    """0 while it is open."""
    reason: str
    """Why it was rolled back, or an empty string."""
    attempt: int
    """Which try of the step it is."""
    changed_us: int
    """When it last recorded anything."""
