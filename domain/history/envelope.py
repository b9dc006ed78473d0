"""An event, and the envelope that it is stored in."""

from __future__ import annotations

from typing import ClassVar, NamedTuple
from uuid import UUID

__all__ = ["Event", "RecordedEvent"]


class Event:
    """A fact, in the past tense: the base of everything that the event store holds.

    An event class says itself what the engine and observers ask of it, so that neither needs a
    list of classes.
    """

    __slots__ = ()

    announces_effect: ClassVar[bool] = False
    """Whether it is an intent: an effect begins once it is stored. Where the disk is full, the
    ballast is not spent on it."""

    @property
    def failure(self) -> str:
        """What went wrong, in a clause without a full stop; empty where nothing did."""
        return ""


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
