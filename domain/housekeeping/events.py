"""The events of orphans and alerts, recorded by sweeps, watches and people.

Fields are stored by position, so their order is part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.domain.history.envelope import Event
from sagaledger.domain.values import Parameters

__all__ = [
    "AlertAcknowledged",
    "AlertRaised",
    "AlertResolved",
    "AlertRulesSet",
    "HousekeepingEvent",
    "OrphanAdopted",
    "OrphanFound",
    "OrphanRemovalFailed",
    "OrphanRemoved",
    "OrphanRetryRequested",
    "OrphanWaived",
]


@dataclass(frozen=True, slots=True)
class OrphanFound(Event):
    """A store has items that belong to no open saga and no committed document."""

    saga_id: str
    store: str
    ref: str
    count: int
    cause: str


@dataclass(frozen=True, slots=True)
class OrphanRemoved(Event):
    """An orphan was removed, and the store confirmed it."""

    saga_id: str
    store: str
    ref: str
    removed: int


@dataclass(frozen=True, slots=True)
class OrphanRemovalFailed(Event):
    """A sweep could not remove an orphan."""

    saga_id: str
    store: str
    ref: str
    error: str

    @property
    def failure(self) -> str:
        """The orphan, and what its store said."""
        return f"{self.store} {self.ref} could not be removed: {self.error}"


@dataclass(frozen=True, slots=True)
class OrphanRetryRequested(Event):
    """A person requested the removal of an orphan now."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanAdopted(Event):
    """A person took responsibility for an orphan: no sweep removes it."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanWaived(Event):
    """A person accepted that an orphan remains. A sweep that can remove it still does."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertRulesSet(Event):
    """These rules apply to alerts from now on."""

    rules: Parameters
    """The severity and the limits of each enabled rule, by the rule's name."""
    by: str


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """A watch found that a limit is exceeded."""

    alert_id: str
    """The rule and the subject."""
    rule: str
    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertResolved(Event):
    """An alert's condition has cleared."""

    alert_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Event):
    """A person acknowledged an alert."""

    alert_id: str
    by: str
    note: str


HousekeepingEvent = (
    OrphanFound
    | OrphanRemoved
    | OrphanRemovalFailed
    | OrphanRetryRequested
    | OrphanAdopted
    | OrphanWaived
    | AlertRulesSet
    | AlertRaised
    | AlertResolved
    | AlertAcknowledged
)
