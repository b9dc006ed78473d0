"""A recorder in memory, with the same rows as a file."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from operator import itemgetter
from threading import RLock
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from sagaledger.infrastructure.event_store.participation import show_to
from sagaledger.infrastructure.event_store.rows import NewRow, RowRecorder, StoredRow

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_observer import AppendParticipant

__all__ = ["MemoryRecorder"]

_VERSION = itemgetter(1)


class _Themselves(dict[UUID, UUID]):
    def __missing__(self, stream_id: UUID) -> UUID:
        return stream_id


class MemoryRecorder(RowRecorder):
    """Keeps rows until its process ends. Thread-safe."""

    def __init__(self, participants: Sequence[AppendParticipant[None]] = ()) -> None:
        """Have no rows yet."""
        self._participants = participants
        self._lock = RLock()
        self._log: list[StoredRow] = []
        self._streams: dict[UUID, list[StoredRow]] = {}
        """By version."""

    @property
    def streams(self) -> Mapping[Any, UUID]:
        """The ids of streams, which stored rows contain directly."""
        return _Themselves()

    def insert_rows(self, rows: Sequence[NewRow]) -> Sequence[int]:
        """Store rows as a whole, and return their positions.

        Raises:
            IntegrityError: a version is taken; none of the rows is stored.
            ParticipantError: a participant raised; none of the rows is stored.
        """
        with self._lock:
            self._check_versions(rows)
            first = len(self._log) + 1
            positions = range(first, first + len(rows))
            if self._participants:
                show_to(self._participants, rows, positions, None)
            stored = [(*row, position) for position, row in enumerate(rows, first)]
            for row in stored:
                insort(self._streams.setdefault(row[0], []), row, key=_VERSION)
            self._log += stored
            return positions

    def log_rows(
        self, after: int, limit: int, *, until: int | None = None, types: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """Rows of all streams after a position, in order."""
        with self._lock:
            rows = self._log[max(after, 0) : until]
        chosen = [row for row in rows if row[2] in types] if types else rows
        return chosen[:limit]

    def stream_rows(
        self,
        stream_id: UUID,
        after: int,
        limit: int,
        *,
        until: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[StoredRow]:
        """Rows of one stream after a version, in order; a limit of -1 is no limit."""
        with self._lock:
            stream = self._streams.get(stream_id, [])
            end = len(stream) if until is None else bisect_right(stream, until, key=_VERSION)
            rows = stream[bisect_right(stream, after, key=_VERSION) : end]
        ordered = rows[::-1] if newest_first else rows
        return ordered if limit < 0 else ordered[:limit]

    def last_version(self, stream_id: UUID) -> int:
        """The number of the stream's last row; 0 for none."""
        with self._lock:
            stream = self._streams.get(stream_id)
            return stream[-1][1] if stream else 0

    def max_notification_id(self) -> int | None:
        """The position of the last row, or None if there is none."""
        return len(self._log) or None

    def close(self) -> None:
        """Do nothing: there are no resources."""

    def _check_versions(self, rows: Sequence[NewRow]) -> None:
        taken: set[tuple[UUID, int]] = set()
        for stream_id, version, _, _ in rows:
            stream = self._streams.get(stream_id, [])
            at = bisect_right(stream, version, key=_VERSION)
            if (stream_id, version) in taken or (at and stream[at - 1][1] == version):
                raise IntegrityError(f"version {version} of stream {stream_id.hex} is taken")
            taken.add((stream_id, version))
