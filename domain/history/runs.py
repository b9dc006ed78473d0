"""Runs of consecutive events of one type, for readers of the whole log."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TypeAlias

from sagaledger.domain.history.envelope import Event, RecordedEvent

__all__ = ["EventRun", "after", "events_of"]

EventRun: TypeAlias = tuple[type[Event], Sequence[RecordedEvent]]
"""Consecutive events of the log, all of this type. A frequent type may have a specialised sequence,
such as `ChunkRun` for `ChunkWritten`; a slice of it has the same type."""


def events_of(runs: Iterable[EventRun]) -> Iterator[RecordedEvent]:
    """Yield the events of these runs, one at a time."""
    return chain.from_iterable(map(itemgetter(1), runs))


def after(run: EventRun, position: int) -> EventRun | None:
    """The part of the run after a position of the log, or None if it is empty."""
    kind, events = run
    if events[0].position > position:
        return run
    later = events[bisect_right(events, position, key=attrgetter("position")) :]
    return (kind, later) if later else None
