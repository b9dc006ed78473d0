"""Facts of users' own: what a step that does not ship records in a stream of its own."""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.domain.history.envelope import Event
from sagaledger.domain.values import Parameters

__all__ = ["FactRecorded"]


@dataclass(frozen=True, slots=True)
class FactRecorded(Event):
    """Something that is true by a user's own account, in a stream of the user's choice."""

    kind: str
    """What happened, in the words of whoever records it: `room-booked`."""
    data: Parameters
    """Plain data. No text of a document and no secret: events are never removed."""
