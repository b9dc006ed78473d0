"""An event, and the envelope that it is stored in."""

from __future__ import annotations

from typing import ClassVar, NamedTuple
from uuid import UUID

__all__ = ["Event", "RecordedEvent"]


class Event:
    """A fact that has happened: the base class of all events in the event store.

    An event class itself answers the questions of the engine and of observers, so that neither
    needs a list of classes.
    """

    __slots__ = ()

    announces_effect: ClassVar[bool] = False
    """Whether the event is an intent: its effect starts once it is stored. On a full disk, the
    ballast is not released for it."""

    @property
    def failure(self) -> str:
        """The failure as a clause without a full stop; empty if the event is not a failure."""
        return ""


class RecordedEvent(NamedTuple):
    """An event with its place in the log: the domain event of the `eventsourcing` library."""

    originator_id: UUID
    """The stream of the event: a saga, an upload or a housekeeping list."""
    originator_version: int
    """Its number in that stream, from 1."""
    at_us: int
    """Wall time in microseconds since the epoch, for display only, never for order."""
    worker: str
    """The worker that recorded it."""
    epoch: int
    """The epoch of the claim under which it was recorded; 0 without a claim."""
    event: Event
    position: int = 0
    """Its number in the whole log, from 1; 0 before it is stored or if it was not read."""
