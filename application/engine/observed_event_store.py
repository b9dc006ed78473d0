"""An event store that notifies observers of all stored events."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.attribution import acting_saga
from sagaledger.application.engine.observer_thread import CLOSE_TIMEOUT_S, ObserverThread
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.event_observer import (
    EventObserver,
    ImmediateEventObserver,
    StoredEvents,
)

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["ObservedEventStore"]

_logger = logging.getLogger(__name__)


class ObservedEventStore:
    """Adds observers of appends to any event store; reads pass through.

    Each observer is served on its own thread; immediate observers run in the appending thread.
    Neither kind can make an append fail.
    """

    def __init__(
        self,
        store: EventStore,
        observers: Sequence[EventObserver] = (),
        immediate: Sequence[ImmediateEventObserver] = (),
    ) -> None:
        """Observe this store; `close` also closes it."""
        self._store = store
        self._immediate = tuple(immediate)
        self._threads = tuple(map(ObserverThread, observers))
        self._has_raised = False

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events, then notify the observers; see `EventStore.append`."""
        last = self._store.append(recorded)
        if recorded:
            if self._threads:
                stored = _stored(recorded, last)
                for thread in self._threads:
                    thread.offer(stored)
            for observer in self._immediate:
                self._notify_at_once(observer, recorded, last)
        return last

    def _notify_at_once(
        self, observer: ImmediateEventObserver, recorded: Sequence[RecordedEvent], last: int
    ) -> None:
        try:
            if observer.wants(recorded):
                observer(_stored(recorded, last))
        except Exception as error:
            # The events are stored: their appender must not believe that they are lost.
            if not self._has_raised:
                self._has_raised = True
                _logger.warning("an observer of stored events raised", exc_info=error)

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[EventRun]:
        """See `EventStore.read_stream`."""
        return self._store.read_stream(stream_id, after_version)

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """See `EventStore.read_log`."""
        return self._store.read_log(after_position, limit)

    def last_version(self, stream_id: UUID) -> int:
        """See `EventStore.last_version`."""
        return self._store.last_version(stream_id)

    def last_position(self) -> int:
        """See `EventStore.last_position`."""
        return self._store.last_position()

    def close(self) -> None:
        """Deliver the queued events for a few seconds at most, and close the store. Idempotent."""
        threads, self._threads = self._threads, ()
        try:
            until_s = monotonic() + CLOSE_TIMEOUT_S
            for thread in threads:
                thread.close(max(0.0, until_s - monotonic()))
        finally:
            self._store.close()


def _stored(recorded: Sequence[RecordedEvent], last_position: int) -> StoredEvents:
    """Pair the events with their positions: consecutive numbers that end with the last position."""
    first = last_position - len(recorded) + 1
    events = [RecordedEvent(*item[:-1], number) for number, item in enumerate(recorded, first)]
    return StoredEvents(tuple(events), acting_saga())
