"""Runs of events of one type, as who follows the whole log takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload
from uuid import UUID

from sagaledger.domain.events import ChunkWritten, Event, Recorded

__all__ = ["ChunkRun", "EventRun", "after"]

EventRun: TypeAlias = tuple[type[Event], Sequence[Recorded]]
"""Events that follow each other in the log and are all of this type: a `ChunkRun` if they are
`ChunkWritten`."""


@dataclass(slots=True, eq=False)
class ChunkRun(Sequence[Recorded]):
    """`ChunkWritten` events, column by column; an event of it is made when it is asked for.

    Nearly all of a long log is these, and to make two objects of each costs more than what then
    becomes of it. All columns are of the same length.
    """

    upload_ids: Sequence[str]
    """In hexadecimal."""
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
    def of(cls, recorded: Sequence[Recorded]) -> ChunkRun:
        """The columns of these events, at least one and all of them `ChunkWritten`."""
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

    def __iter__(self) -> Iterator[Recorded]:
        return (self[at] for at in range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Recorded: ...
    @overload
    def __getitem__(self, at: slice) -> list[Recorded]: ...
    def __getitem__(self, at: int | slice) -> Recorded | list[Recorded]:
        if isinstance(at, slice):
            return [self[index] for index in range(*at.indices(len(self)))]
        event = ChunkWritten(
            self.indexes[at],
            self.digests[at],
            self.stored_bytes[at],
            self.encodings[at],
            self.attempts[at],
        )
        return Recorded(
            UUID(hex=self.upload_ids[at]),
            self.versions[at],
            self.at_us[at],
            self.workers[at],
            self.epochs[at],
            event,
            self.positions[at],
        )


def after(run: EventRun, position: int) -> EventRun | None:
    """Those events of the run that come after a position of the log, or None if none does."""
    kind, events = run
    if isinstance(events, ChunkRun):
        if events.positions[0] > position:
            return run
        later = [recorded for recorded in events if recorded.position > position]
        return (kind, ChunkRun.of(later)) if later else None
    later = [recorded for recorded in events if recorded.position > position]
    return (kind, later) if later else None
