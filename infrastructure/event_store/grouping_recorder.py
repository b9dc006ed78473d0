"""The recorder of events, with a connection of its own to write over.

After every statement a thread may have to wait for others until it can go on. So there are as few
as can be: events of streams that are known are stored by a single one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from sagaledger.infrastructure.event_store.group_commit import GroupCommit
from sagaledger.infrastructure.event_store.recorder import (
    BUSY_TIMEOUT_S,
    LedgerDatastore,
    LedgerRecorder,
)
from sagaledger.infrastructure.write_transaction import write_transaction

__all__ = ["GroupingRecorder"]

_MOST_ROWS = 100
"""So many rows at most are written or looked up by one statement."""
_REMEMBERED_STREAMS = 10_000
_T = TypeVar("_T")


class GroupingRecorder(LedgerRecorder):
    """Stores what several threads append at one moment in one transaction, durably."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        """Store in the datastore's file; the connection is opened with the first event."""
        super().__init__(datastore)
        self._group = GroupCommit(self._store)
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False
        self._known: dict[UUID, int] = {}
        """Streams that are in the file for certain, and their numbers in it."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Store events as a whole, and return their positions.

        Raises:
            sqlite3.IntegrityError: a version is taken; none of these events is stored.
            sqlite3.Error: they cannot be stored, and none is.
        """
        return self._group.insert(stored_events)

    def close(self) -> None:
        """Close the connection, and store nothing any more. Idempotent."""
        self._is_closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _store(self, rows: Sequence[StoredEvent]) -> Sequence[int]:
        connection = self._connection = self._connection or self._connected()
        if self._is_closed:
            self.close()
            raise sqlite3.ProgrammingError("the log is closed")
        if connection.in_transaction:
            # An interrupted caller left it open: what comes now would not be durable in it.
            connection.rollback()
        ids = dict.fromkeys(cast(UUID, row.originator_id) for row in rows)
        numbers = {i: self._known[i] for i in ids if i in self._known}
        if len(numbers) < len(ids):
            numbers |= _numbers(connection, [i for i in ids if i not in numbers])
        if len(numbers) == len(ids) and len(rows) <= _MOST_ROWS:
            # A statement outside of any transaction is one itself.
            positions = self._insert(connection, rows, numbers)
        else:
            with write_transaction(connection):
                numbers |= _made(connection, [i for i in ids if i not in numbers])
                positions = [
                    position
                    for part in _parts(rows)
                    for position in self._insert(connection, part, numbers)
                ]
        self._remember(numbers)
        return positions

    def _insert(
        self, connection: sqlite3.Connection, rows: Sequence[StoredEvent], numbers: dict[UUID, int]
    ) -> Sequence[int]:
        statement = (
            f"INSERT INTO {self.events_table_name} (stream, version, type, state) VALUES "
            f"{','.join(['(?,?,?,?)'] * len(rows))}"
        )
        values: list[Any] = []
        for row in rows:
            number = numbers[cast(UUID, row.originator_id)]
            values += (number, row.originator_version, row.topic, row.state)
        last = connection.execute(statement, values).lastrowid
        assert last is not None
        # Only one transaction writes at a time, so the positions just given are consecutive.
        return range(last - len(rows) + 1, last + 1)

    def _remember(self, numbers: dict[UUID, int]) -> None:
        if len(self._known) > _REMEMBERED_STREAMS:
            self._known.clear()
        self._known |= numbers

    def _connected(self) -> sqlite3.Connection:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the log is closed")
        connection = sqlite3.connect(
            self.datastore.pool.db_name,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection


def _numbers(connection: sqlite3.Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """The numbers of those streams that the file has."""
    found: dict[UUID, int] = {}
    for part in _parts(ids):
        rows = connection.execute(
            "SELECT originator_id, number FROM streams "
            f"WHERE originator_id IN ({','.join('?' * len(part))})",
            [stream_id.bytes for stream_id in part],
        )
        found |= {UUID(bytes=stream): number for stream, number in rows}
    return found


def _made(connection: sqlite3.Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Give numbers to streams that had none a moment ago; another process may have been faster."""
    for part in _parts(ids):
        connection.execute(
            f"INSERT OR IGNORE INTO streams (originator_id) VALUES {','.join(['(?)'] * len(part))}",
            [stream_id.bytes for stream_id in part],
        )
    return _numbers(connection, ids)


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for first in range(0, len(items), _MOST_ROWS):
        yield items[first : first + _MOST_ROWS]
