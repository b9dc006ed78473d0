"""The history of one saga: its own events, those of its upload and those of its document."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.document.values import document_stream_of
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.upload.values import upload_id_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["events_about"]


def events_about(log: EventStore, saga_id: UUID) -> list[RecordedEvent]:
    """Every event of a saga, of its upload and of its document, in the order of the log."""
    streams = (saga_id, upload_id_of(saga_id), document_stream_of(saga_id))
    return sorted(
        (recorded for stream in streams for recorded in events_of(log.read_stream(stream))),
        key=lambda recorded: recorded.position,
    )
