"""The port of the append-only event store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.upload.state import Upload

__all__ = ["EventStore"]


class EventStore(Protocol):
    """The append-only log: many streams, one order over all."""

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        """Store events of one or more streams in one transaction, durable on return.

        Returns:
            The position of the last of them.

        Raises:
            VersionConflictError: an `originator_version` is taken; nothing was stored.
            EventSerializationError: an event holds what is not plain data; nothing was stored.
            StorageBackendError: the log cannot be written; nothing was stored.
        """

    def load_saga(self, saga_id: UUID) -> Saga | None:
        """The saga as of its last event, or None if there is none."""

    def load_upload(self, upload_id: UUID) -> Upload | None:
        """The upload as of its last event, or None if there is none.

        Raises:
            EventCorruptError: an event of it cannot be decoded.
            ChunkMetadataCorruptError: the events contradict each other.
        """

    def snapshot_upload(self, upload_id: UUID) -> None:
        """Keep the upload's present state, so that loading it later is short."""

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[RecordedEvent]:
        """The events of one stream in order, with their positions."""

    def version_of(self, stream_id: UUID) -> int:
        """The number of the stream's last event, without decoding it; 0 for none."""

    def read_log(self, after_position: int, limit: int) -> Sequence[RecordedEvent]:
        """Up to `limit` events of all streams after a position, in the order they were stored."""

    def read_runs(self, after_position: int, limit: int) -> Sequence[EventRun]:
        """The events that `read_log` gives, as runs of one type that are never empty.

        Raises:
            EventCorruptError: an event of them cannot be decoded.
        """

    def last_position(self) -> int:
        """The position of the newest event; 0 for an empty log."""

    def close(self) -> None:
        """Release files and connections."""
