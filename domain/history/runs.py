"""Runs of events of one type, as a reader of the whole log takes them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TypeAlias

from sagaledger.domain.history.envelope import Event, RecordedEvent

__all__ = ["EventRun", "after", "events_of"]

EventRun: TypeAlias = tuple[type[Event], Sequence[RecordedEvent]]
"""Events that follow each other in the log and are all of this type. A type that fills long logs
may have a sequence of its own, as `ChunkRun` is for `ChunkWritten`; a slice of it is one again."""


def events_of(runs: Iterable[EventRun]) -> Iterator[RecordedEvent]:
    """The events of these runs, one by one."""
    return chain.from_iterable(map(itemgetter(1), runs))


def after(run: EventRun, position: int) -> EventRun | None:
    """Those events of the run that come after a position of the log, or None if none does."""
    kind, events = run
    if events[0].position > position:
        return run
    later = events[bisect_right(events, position, key=attrgetter("position")) :]
    return (kind, later) if later else None
