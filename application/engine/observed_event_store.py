"""An event store that tells observers of all it stored: the one seam for logs and metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

from sagaledger.application.engine.attribution import acting_saga
from sagaledger.application.engine.observer_thread import ObserverThread
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.event_observer import EventObserver, StoredEvents
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.upload.state import Upload

__all__ = ["ObservedEventStore"]

_logger = logging.getLogger(__name__)


class ObservedEventStore:
    """Any event store, with observers of its appends; reads pass through.

    Observers are served each on a thread of its own. `immediate` ones are called in the thread
    that appends, after the commit and before `append` returns: an append is as much slower as
    they are, so they do no more than one call to `logging` an event (decision 0010). Neither kind
    can fail an append.
    """

    def __init__(
        self,
        store: EventStore,
        observers: Sequence[EventObserver] = (),
        immediate: Sequence[EventObserver] = (),
    ) -> None:
        """Begin to observe a store; `close` closes it too."""
        self._store = store
        self._immediate = tuple(immediate)
        self._threads = tuple(map(ObserverThread, observers))
        self._failed: set[int] = set()

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events, then tell the observers; see `EventStore.append`."""
        last = self._store.append(recorded)
        if recorded and (self._threads or self._immediate):
            self._tell(recorded, last)
        return last

    def _tell(self, recorded: Sequence[RecordedEvent], last_position: int) -> None:
        first = last_position - len(recorded) + 1
        events = tuple(
            RecordedEvent(*item[:-1], position) for position, item in enumerate(recorded, first)
        )
        stored = StoredEvents(events, acting_saga())
        for observer in self._immediate:
            try:
                observer(stored)
            except Exception as error:
                # The events are stored: whoever appended them must not take them for lost.
                if id(observer) not in self._failed:
                    self._failed.add(id(observer))
                    _logger.warning("an observer of stored events raised", exc_info=error)
        for thread in self._threads:
            thread.offer(stored)

    def load_saga(self, saga_id: UUID) -> Saga | None:
        """See `EventStore.load_saga`."""
        return self._store.load_saga(saga_id)

    def load_upload(self, upload_id: UUID) -> Upload | None:
        """See `EventStore.load_upload`."""
        return self._store.load_upload(upload_id)

    def snapshot_upload(self, upload_id: UUID) -> None:
        """See `EventStore.snapshot_upload`."""
        self._store.snapshot_upload(upload_id)

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[RecordedEvent]:
        """See `EventStore.read_stream`."""
        return self._store.read_stream(stream_id, after_version)

    def version_of(self, stream_id: UUID) -> int:
        """See `EventStore.version_of`."""
        return self._store.version_of(stream_id)

    def read_log(self, after_position: int, limit: int) -> Sequence[RecordedEvent]:
        """See `EventStore.read_log`."""
        return self._store.read_log(after_position, limit)

    def read_runs(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """See `EventStore.read_runs`."""
        return self._store.read_runs(after_position, limit)

    def last_position(self) -> int:
        """See `EventStore.last_position`."""
        return self._store.last_position()

    def close(self) -> None:
        """Hand over to each observer what waits for it, for a while, and close the store."""
        for thread in self._threads:
            thread.close()
        self._store.close()
