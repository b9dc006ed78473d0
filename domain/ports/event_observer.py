"""The ports of receivers of stored events: observers after the commit, participants before it.

An observer receives events once they are durable and can neither fail nor delay the append. If it
is slow it misses events, and learns how many. A participant is part of the transaction: the append
waits for it and fails with it. Decision 0010 says which to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent

__all__ = [
    "AppendParticipant",
    "AppendedRow",
    "EventObserver",
    "ImmediateEventObserver",
    "StoredEvents",
]

_Transaction_contra = TypeVar("_Transaction_contra", contravariant=True)


class StoredEvents(NamedTuple):
    """The events of one append, once they are durable."""

    events: tuple[RecordedEvent, ...]
    """The events in the order of their positions, which have no gaps."""
    saga_id: UUID | None
    """The saga on whose behalf they were stored; None if they belong to no saga."""
    missed: int = 0
    """The number of events before these that the observer missed because it was too slow. To get
    them, read the event store from the last received position."""


EventObserver: TypeAlias = Callable[[StoredEvents], object]
"""Receives the appends of this process, one at a time, on its own thread.

Appends of different threads may arrive in another order than their positions. Appends that raised
do not arrive, even if their events turn out to be stored, nor do events of other processes. To get
every event in order, follow the event store by position instead.
"""


class ImmediateEventObserver(Protocol):
    """An observer that is called in the appending thread, after the commit and before `append`
    returns.

    It cannot make the append fail, but it delays it (decision 0010), so it does no more than one
    `logging` call per event.
    """

    def wants(self, recorded: Sequence[RecordedEvent]) -> bool:
        """Whether it wants these events, whose positions are not yet computed.

        Called at every append, so that an append that it does not want costs next to nothing.
        """

    def __call__(self, stored: StoredEvents) -> object:
        """Process the events that it wants."""


class AppendedRow(NamedTuple):
    """One event as the event store keeps it."""

    position: int
    """Its number in the whole event store, from 1."""
    stream_id: UUID
    version: int
    """Its number in its stream, from 1."""
    type_name: str
    """The stored name of its type, with a version: `step-started/1`."""
    state: bytes
    """The bytes that are stored, exactly."""


class AppendParticipant(Protocol[_Transaction_contra]):
    """Takes part in the transaction of every append.

    The type argument is what the adapter lends for the length of the call, so that a participant
    can write rows of its own that become durable together with the events: the open
    `sqlite3.Connection` of the SQLite event store, None for the one in memory.
    """

    def before_commit(self, rows: Sequence[AppendedRow], transaction: _Transaction_contra) -> None:
        """Process the rows of one append, which are written but not committed yet.

        The event store calls it once for each append, in the order of positions, from one thread
        at a time, while no other process can append. Whatever it raises fails that append alone
        and is raised from it: neither the rows nor what the participant wrote for them are kept.
        It must not append itself.
        """
