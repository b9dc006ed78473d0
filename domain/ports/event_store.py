"""The port of the append-only event store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun

__all__ = ["EventStore"]


class EventStore(Protocol):
    """The append-only log: many streams, one order over all.

    Reads give runs of events of one type, the fast way through a long log;
    `sagaledger.domain.history.runs.events_of` flattens them.
    """

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events of one or more streams in one transaction, durable on return.

        Returns:
            The position of the last event.

        Raises:
            VersionConflictError: An `originator_version` is taken; nothing was stored.
            EventSerializationError: An event contains a value that is not plain data; nothing was
                stored.
            StorageFullError: The disk is full; nothing was stored.
            StorageBackendError: the log cannot be written; nothing was stored.
        """

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[EventRun]:
        """The events of one stream after a version, in order, read a page at a time.

        Raises:
            EventCorruptError: while it is iterated, an event of the page cannot be decoded.
            StorageBackendError: while it is iterated, the log cannot be read.
        """

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """Up to `limit` events of all streams after a position, in the order they were stored.

        Raises:
            EventCorruptError: one of them cannot be decoded.
            StorageBackendError: the log cannot be read.
        """

    def last_version(self, stream_id: UUID) -> int:
        """The number of the stream's last event, 0 for none, without decoding any event.

        The undo of an upload needs it: it fences the upload by an event after the last one, even
        if the history is damaged and `read_stream` raises.
        """

    def last_position(self) -> int:
        """The position of the newest event; 0 for an empty log."""

    def close(self) -> None:
        """Release files and connections. Idempotent."""
