"""A run of `ChunkWritten` events, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import overload
from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.upload.events import ChunkWritten

__all__ = ["ChunkRun"]


@dataclass(slots=True, eq=False)
class ChunkRun(Sequence[RecordedEvent]):
    """`ChunkWritten` events, column by column; each event object is created on access.

    Most events of a long log are `ChunkWritten`, and creating two objects for each would cost more
    than processing them. All columns have the same length.
    """

    upload_ids: Sequence[str]
    """The upload ids in hexadecimal."""
    versions: Sequence[int]
    at_us: Sequence[int]
    workers: Sequence[str]
    epochs: Sequence[int]
    indexes: Sequence[int]
    digests: Sequence[bytes]
    stored_bytes: Sequence[int]
    encodings: Sequence[str]
    attempts: Sequence[int]
    positions: Sequence[int]

    @classmethod
    def of(cls, recorded: Sequence[RecordedEvent]) -> ChunkRun:
        """The columns of these events: at least one event, and all of them `ChunkWritten`."""
        rows = [
            (
                *(item.originator_id.hex, item.originator_version),
                *(item.at_us, item.worker, item.epoch),
                *(event.index, event.sha256, event.stored_bytes, event.encoding, event.attempt),
                item.position,
            )
            for item in recorded
            if isinstance(event := item.event, ChunkWritten)
        ]
        assert len(rows) == len(recorded) > 0
        return cls(*zip(*rows, strict=True))

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[RecordedEvent]:
        ids = {hexadecimal: UUID(hex=hexadecimal) for hexadecimal in set(self.upload_ids)}
        events = map(
            ChunkWritten,
            self.indexes,
            self.digests,
            self.stored_bytes,
            self.encodings,
            self.attempts,
        )
        return map(
            RecordedEvent,
            (ids[hexadecimal] for hexadecimal in self.upload_ids),
            self.versions,
            self.at_us,
            self.workers,
            self.epochs,
            events,
            self.positions,
        )

    @overload
    def __getitem__(self, at: int) -> RecordedEvent: ...
    @overload
    def __getitem__(self, at: slice) -> ChunkRun: ...
    def __getitem__(self, at: int | slice) -> RecordedEvent | ChunkRun:
        if isinstance(at, slice):
            return ChunkRun(*(getattr(self, column.name)[at] for column in fields(self)))
        event = ChunkWritten(
            self.indexes[at],
            self.digests[at],
            self.stored_bytes[at],
            self.encodings[at],
            self.attempts[at],
        )
        return RecordedEvent(
            UUID(hex=self.upload_ids[at]),
            self.versions[at],
            self.at_us[at],
            self.workers[at],
            self.epochs[at],
            event,
            self.positions[at],
        )
