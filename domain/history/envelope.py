"""An event, and the envelope that it is stored in."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["Event", "RecordedEvent"]


class Event:
    """A fact, in the past tense: the base of everything that the event store holds."""

    __slots__ = ()


class RecordedEvent(NamedTuple):
    """An event with its place in the log: the domain event of the `eventsourcing` library."""

    originator_id: UUID
    """The saga, upload or housekeeping stream the event belongs to."""
    originator_version: int
    """Its number in that stream, from 1."""
    at_us: int
    """Wall time in microseconds since the epoch; for people, never for order."""
    worker: str
    """The worker that recorded it."""
    epoch: int
    """The claim under which it was recorded; 0 where no claim was needed."""
    event: Event
    position: int = 0
    """Its number in the whole log, from 1; 0 before it is stored or where it was not asked for."""
