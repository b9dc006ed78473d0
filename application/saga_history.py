"""The history of one saga: its own events and those of its upload."""

from __future__ import annotations

from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.upload.values import upload_id_of

__all__ = ["events_about"]


def events_about(log: EventStore, saga_id: UUID) -> list[RecordedEvent]:
    """Every event of a saga and of its upload, in the order of the log."""
    streams = (saga_id, upload_id_of(saga_id))
    return sorted(
        (recorded for stream in streams for recorded in log.read_stream(stream)),
        key=lambda recorded: recorded.position,
    )
