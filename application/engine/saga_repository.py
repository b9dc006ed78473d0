"""Sagas out of the event store: their events, folded."""

from __future__ import annotations

from uuid import UUID

from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.state import Saga, fold_saga

__all__ = ["find_saga", "load_saga", "refreshed_saga"]


def find_saga(log: EventStore, saga_id: UUID) -> Saga | None:
    """The saga as of its last event, or None if there is none.

    Raises:
        EventCorruptError: an event of it cannot be decoded.
        StorageBackendError: the log cannot be read.
    """
    return fold_saga(None, events_of(log.read_stream(saga_id)))


def load_saga(log: EventStore, saga_id: UUID) -> Saga:
    """The saga as of its last event.

    Raises:
        NotFoundError: the log has no such saga.
        EventCorruptError: an event of it cannot be decoded.
        StorageBackendError: the log cannot be read.
    """
    saga = find_saga(log, saga_id)
    if saga is None:
        raise NotFoundError("saga", saga_id.hex)
    return saga


def refreshed_saga(log: EventStore, saga: Saga) -> Saga:
    """The saga as of its last event, of which only the new ones are read; the same if none is.

    Raises:
        EventCorruptError: an event of it cannot be decoded.
        StorageBackendError: the log cannot be read.
    """
    new = [*events_of(log.read_stream(saga.id, saga.version))]
    if not new:
        return saga
    refreshed = saga.copy()
    fold_saga(refreshed, new)
    return refreshed
