"""Loads sagas from the event store by folding their events."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.state import Saga, fold_saga

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["find_saga", "load_saga", "refreshed_saga"]


def find_saga(log: EventStore, saga_id: UUID) -> Saga | None:
    """The saga as of its last event, or None if it does not exist.

    Raises:
        EventCorruptError: An event of the saga cannot be decoded.
        StorageBackendError: The log cannot be read.
    """
    return fold_saga(None, events_of(log.read_stream(saga_id)))


def load_saga(log: EventStore, saga_id: UUID) -> Saga:
    """The saga as of its last event.

    Raises:
        NotFoundError: The log does not contain the saga.
        EventCorruptError: An event of the saga cannot be decoded.
        StorageBackendError: The log cannot be read.
    """
    saga = find_saga(log, saga_id)
    if saga is None:
        raise NotFoundError("saga", saga_id.hex)
    return saga


def refreshed_saga(log: EventStore, saga: Saga) -> Saga:
    """Bring a loaded saga up to its last event; only new events are read.

    Returns the same object if there are no new events.

    Raises:
        EventCorruptError: An event of the saga cannot be decoded.
        StorageBackendError: The log cannot be read.
    """
    new = [*events_of(log.read_stream(saga.id, saga.version))]
    if not new:
        return saga
    refreshed = saga.copy()
    fold_saga(refreshed, new)
    return refreshed
