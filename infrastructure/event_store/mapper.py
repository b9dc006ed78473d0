"""The library's mapper in our terms: recorded events and snapshots to stored rows and back."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zlib import crc32

from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.infrastructure.event_store.codec import EventCodec, pack, unpack
from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES, EventTypes
from sagaledger.infrastructure.event_store.recorder import StoredRow
from sagaledger.infrastructure.event_store.upload_snapshot import (
    SNAPSHOT_TYPE,
    UploadSnapshot,
)

__all__ = ["LedgerMapper"]

_CHECKSUM_BYTES = 4


class LedgerMapper(Mapper[UUID]):
    """Maps with the closed type table and the positional codec; imports nothing by name."""

    def __init__(self, types: EventTypes = EVENT_TYPES) -> None:
        super().__init__(JSONTranscoder())
        self.codec = EventCodec(types)
        """What turns the rows of events, and of nothing else, into events."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The row of a `RecordedEvent` event or an upload's snapshot."""
        if isinstance(domain_event, RecordedEvent):
            type_name, state = self.codec.encode(domain_event)
        else:
            packed = pack(domain_event.state)
            type_name, state = SNAPSHOT_TYPE, _checksum(packed) + packed
        return StoredRow(  # type: ignore[return-value]  # As good as one, and quicker made.
            domain_event.originator_id, domain_event.originator_version, type_name, state, 0
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event or snapshot of a row.

        Raises:
            EventCorruptError: the row's bytes are damaged, or were written by a newer version.
        """
        stream_id = stored_event.originator_id
        assert isinstance(stream_id, UUID)
        version = stored_event.originator_version
        if stored_event.topic.startswith("upload-snapshot/"):
            return UploadSnapshot(stream_id, version, _snapshot_state(stored_event))
        return self.codec.decode(
            stream_id,
            version,
            stored_event.topic,
            stored_event.state,
            getattr(stored_event, "id", 0),
        )


def _snapshot_state(stored: StoredEvent) -> list[Any] | None:
    # A snapshot can always be made again from the events, so an unreadable one is no error. A
    # damaged one must not pass for the upload's state: no chain over the events would show it.
    if stored.topic != SNAPSHOT_TYPE:
        return None
    state = memoryview(stored.state)
    checksum, packed = state[:_CHECKSUM_BYTES], state[_CHECKSUM_BYTES:]
    if checksum != _checksum(packed):
        return None
    try:
        data = unpack(packed)
    except ValueError:
        return None
    return data if isinstance(data, list) else None


def _checksum(packed: bytes | memoryview) -> bytes:
    return crc32(packed).to_bytes(_CHECKSUM_BYTES, "big")
