"""What sweeps and people record about orphans and alerts, in the past tense.

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
    """A store holds something that belongs to no live saga and no committed document."""

    saga_id: str
    store: str
    ref: str
    count: int
    cause: str


@dataclass(frozen=True, slots=True)
class OrphanRemoved(Event):
    """An orphan is gone, and the store confirmed it."""

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
    """Somebody asked for an orphan to be removed now."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanAdopted(Event):
    """Somebody takes care of an orphan from here on: it stays, and no sweep touches it."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanWaived(Event):
    """Somebody accepted that an orphan is left; a sweep that can remove it still does."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertRulesSet(Event):
    """From here on alerts follow these rules."""

    rules: Parameters
    """By the rule's name its severity, and its limits; a rule that is not named is off."""
    by: str


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """Somebody looked and found what no single event says: a limit is exceeded."""

    alert_id: str
    """The rule and the subject."""
    rule: str
    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertResolved(Event):
    """What an alert was raised for holds no more."""

    alert_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Event):
    """Somebody saw an alert."""

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
