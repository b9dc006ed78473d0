"""Facts of users: events that a user's step records in a stream of its own."""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.domain.history.envelope import Event
from sagaledger.domain.values import Parameters

__all__ = ["FactRecorded"]


@dataclass(frozen=True, slots=True)
class FactRecorded(Event):
    """A fact that a user records in a stream of the user's choice."""

    kind: str
    """The name of the fact, chosen by the user: `room-booked`."""
    data: Parameters
    """Plain data. No text of a document and no secret: events are never removed."""
