"""The library's recorder in memory, with rows as those of a file are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.popo import POPOApplicationRecorder
from sagaledger.infrastructure.event_store.recorder import PlainRow

__all__ = ["MemoryRecorder"]


class _Themselves(dict[UUID, UUID]):
    def __missing__(self, stream_id: UUID) -> UUID:
        return stream_id


class MemoryRecorder(POPOApplicationRecorder):
    """Keeps rows in memory, and gives them as a file does."""

    streams: Mapping[Any, UUID] = _Themselves()
    """The ids of streams by what stands for them in rows: themselves."""

    def rows_after(self, position: int, limit: int) -> Sequence[PlainRow]:
        """The rows of all streams after a position."""
        found = self.select_notifications(position, limit, inclusive_of_start=False)
        return [
            (n.originator_id, n.originator_version, n.topic, n.state, n.id)  # type: ignore[misc]  # Our ids are never text.
            for n in found
        ]

    def stream_rows_after(
        self, originator_id: UUID, version: int, limit: int
    ) -> Sequence[PlainRow]:
        """The rows of one stream after a version."""
        found = self.select_events(originator_id, gt=version, limit=limit)
        indexes = self._stored_events_index[str(originator_id)]
        versions = [row.originator_version for row in found]
        return [
            (originator_id, version, row.topic, row.state, indexes[version] + 1)
            for version, row in zip(versions, found, strict=True)
        ]
