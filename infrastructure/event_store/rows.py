"""A recorder of the `eventsourcing` library that also reads and writes rows as plain tuples.

The library's `StoredEvent` and `Notification` are frozen dataclasses: creating one costs as much as
decoding an event (decision 0002). So the event store appends and reads plain rows, and the
library's own interface is built on the same methods.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    NotSupportedError,
    StoredEvent,
)

__all__ = ["NewRow", "RowRecorder", "StoredRow"]

NewRow: TypeAlias = tuple[UUID, int, str, bytes]
"""An event to store: its stream, version, type name and state."""
StoredRow: TypeAlias = tuple[Any, int, str, bytes, int]
"""A stored event: the identifier of its stream, its version, type name, state and position."""

_ALL = -1


class RowRecorder(ApplicationRecorder):
    """Stores rows in streams, and in one order over all of them."""

    @property
    @abstractmethod
    def streams(self) -> Mapping[Any, UUID]:
        """The ids of streams by their identifiers in stored rows."""

    @abstractmethod
    def insert_rows(self, rows: Sequence[NewRow]) -> Sequence[int]:
        """Store at least one row, durably and all of them, and return their positions.

        Raises:
            IntegrityError: A version is taken; none of the rows is stored.
            sqlite3.Error: They cannot be stored, and none is.
        """

    @abstractmethod
    def log_rows(
        self, after: int, limit: int, *, until: int | None = None, types: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """Rows of all streams after a position, in order."""

    @abstractmethod
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

    @abstractmethod
    def last_version(self, stream_id: UUID) -> int:
        """The number of the stream's last row; 0 for none."""

    @abstractmethod
    def close(self) -> None:
        """Release its resources. Idempotent."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Store events of the library."""
        rows = [
            (_uuid(event.originator_id), event.originator_version, event.topic, event.state)
            for event in stored_events
        ]
        return list(self.insert_rows(rows)) if rows else None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of one stream, as the library takes them."""
        after, most = _ALL if gt is None else gt, _ALL if limit is None else limit
        stream_id = _uuid(originator_id)
        rows = self.stream_rows(stream_id, after, most, until=lte, newest_first=desc)
        return [StoredEvent(stream_id, version, name, state) for _, version, name, state, _ in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events of all streams, as the library takes them."""
        after = (start or 0) - (1 if inclusive_of_start else 0)
        streams = self.streams
        return [
            Notification(streams[stream], version, name, state, position)
            for stream, version, name, state, position in self.log_rows(
                after, limit, until=stop, types=topics
            )
        ]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:  # noqa: ARG002 - The library's names.
        """Not supported: followers of the log read the events after a position.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError("follow the log by positions")


def _uuid(originator_id: UUID | str) -> UUID:
    if not isinstance(originator_id, UUID):
        raise NotSupportedError(f"a stream is named by a UUID, not {originator_id!r}")
    return originator_id
