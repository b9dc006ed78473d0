"""The recorder of events in an SQLite file, with a separate connection for writes.

After every statement a thread may have to wait for other threads. So there are few statements:
events of known streams are stored by a single one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from sagaledger.infrastructure.event_store.events_file import open_events_file
from sagaledger.infrastructure.event_store.group_commit import GroupCommit, Outcome
from sagaledger.infrastructure.event_store.participation import ParticipantError, show_to
from sagaledger.infrastructure.event_store.rows import NewRow, RowRecorder, StoredRow
from sagaledger.infrastructure.event_store.stream_numbers import StreamNumbers
from sagaledger.infrastructure.sqlite_files import ConnectionPool, connect
from sagaledger.infrastructure.write_transaction import write_transaction

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_observer import AppendParticipant

__all__ = ["SqliteRecorder"]

_MOST_ROWS = 100
"""The maximum number of rows that one statement writes or looks up."""
_END = 2**62
_COLUMNS = "SELECT stream, version, type, state, position FROM stored_events "
_OF_STREAM = "WHERE stream=(SELECT number FROM streams WHERE originator_id=?) "
_T = TypeVar("_T")


class SqliteRecorder(RowRecorder):
    """Stores concurrent appends of several threads in one durable transaction.

    Stored rows identify the stream by a number, which is cheaper than a join with its id.
    """

    def __init__(
        self, path: Path, participants: Sequence[AppendParticipant[sqlite3.Connection]] = ()
    ) -> None:
        """Open the file; create it if it is missing.

        Raises:
            DatabaseCorruptError: The file is not an event log of sagaledger.
            DataFolderError: The file was written by a newer version.
            sqlite3.Error: The file is damaged, or cannot be opened.
        """
        self._path = path
        self._participants = participants
        self._group = GroupCommit(self._store)
        self._streams = StreamNumbers(self._stream_of)
        self._writer: sqlite3.Connection | None = None
        """Opened with the first event."""
        self._is_closed = False
        self._readers = ConnectionPool(path)
        self._readers.give(open_events_file(path))

    @property
    def streams(self) -> Mapping[Any, UUID]:
        """The ids of streams by their numbers in stored rows."""
        return self._streams

    def insert_rows(self, rows: Sequence[NewRow]) -> Sequence[int]:
        """Store at least one row, durably and all of them, and return their positions.

        Raises:
            IntegrityError: A version is taken; none of the rows is stored.
            ParticipantError: A participant raised; none of the rows is stored.
            sqlite3.Error: They cannot be stored, and none is.
        """
        return self._group.insert(rows)

    def log_rows(
        self, after: int, limit: int, *, until: int | None = None, types: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """Rows of all streams after a position, in order."""
        chosen = f"AND type IN ({','.join('?' * len(types))}) " if types else ""
        statement = f"{_COLUMNS}WHERE position>? AND position<=? {chosen}ORDER BY position LIMIT ?"
        return self._select(statement, (after, _END if until is None else until, *types, limit))

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
        statement = (
            f"{_COLUMNS}{_OF_STREAM}AND version>? AND version<=? "
            f"ORDER BY version {'DESC' if newest_first else 'ASC'} LIMIT ?"
        )
        bounds = (after, _END if until is None else until, limit)
        rows = self._select(statement, (stream_id.bytes, *bounds))
        if rows:
            self._streams.remember(rows[0][0], stream_id)
        return rows

    def last_version(self, stream_id: UUID) -> int:
        """The number of the stream's last row, without reading the row; 0 for none."""
        statement = f"SELECT MAX(version) FROM stored_events {_OF_STREAM}"
        return self._select(statement, (stream_id.bytes,))[0][0] or 0

    def max_notification_id(self) -> int | None:
        """The position of the last row, or None if there is none."""
        position: int | None = self._select("SELECT MAX(position) FROM stored_events", ())[0][0]
        return position

    def close(self) -> None:
        """Close every connection; later appends fail. Idempotent."""
        self._is_closed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._readers.close()

    def _select(self, statement: str, bindings: Sequence[Any]) -> list[Any]:
        with self._readers.connection() as connection:
            return connection.execute(statement, bindings).fetchall()

    def _stream_of(self, number: int) -> UUID:
        found = self._select("SELECT originator_id FROM streams WHERE number=?", (number,))
        if not found:
            raise sqlite3.DatabaseError(
                f"malformed: an event is of stream {number}, which is not there"
            )
        return UUID(bytes=found[0][0])

    def _store(self, batches: Sequence[Sequence[NewRow]]) -> Sequence[Outcome]:
        connection = self._ready_to_write()
        if self._participants:
            return self._store_with_participants(connection, batches)
        rows = batches[0] if len(batches) == 1 else [*chain.from_iterable(batches)]
        numbers, unknown = self._numbers_of(connection, rows)
        if not unknown and len(rows) <= _MOST_ROWS:
            # A statement outside a transaction is its own transaction.
            positions = _insert(connection, rows, numbers)
        else:
            with write_transaction(connection):
                numbers |= _numbered(connection, unknown)
                positions = _insert_all(connection, rows, numbers)
        self._remember(numbers)
        return [*_split(positions, batches)]

    def _store_with_participants(
        self, connection: sqlite3.Connection, batches: Sequence[Sequence[NewRow]]
    ) -> Sequence[Outcome]:
        """Store batches in one transaction, of which each can fail alone."""
        numbers: dict[UUID, int] = {}
        outcomes: list[Outcome] = []
        with write_transaction(connection):
            for rows in batches:
                connection.execute("SAVEPOINT append")
                try:
                    outcomes.append(self._store_batch(connection, rows, numbers))
                except (IntegrityError, ParticipantError) as error:
                    if not connection.in_transaction:
                        # SQLite has rolled all of it back, on a full disk say.
                        raise
                    connection.execute("ROLLBACK TO append")
                    outcomes.append(error)
                connection.execute("RELEASE append")
        self._remember(numbers)
        return outcomes

    def _store_batch(
        self, connection: sqlite3.Connection, rows: Sequence[NewRow], stored: dict[UUID, int]
    ) -> Sequence[int]:
        """Store one batch in the open transaction, and note the numbers of its streams."""
        numbers, unknown = self._numbers_of(connection, rows)
        numbers |= _numbered(connection, unknown)
        positions = _insert_all(connection, rows, numbers)
        show_to(self._participants, rows, positions, connection)
        stored |= numbers
        return positions

    def _ready_to_write(self) -> sqlite3.Connection:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the log is closed")
        connection = self._writer = self._writer or connect(self._path)
        if self._is_closed:
            # Another thread closed it in the meantime.
            self.close()
            raise sqlite3.ProgrammingError("the log is closed")
        if connection.in_transaction:
            # An interrupted caller left a transaction open: new rows would not be durable in it.
            connection.rollback()
        return connection

    def _numbers_of(
        self, connection: sqlite3.Connection, rows: Sequence[NewRow]
    ) -> tuple[dict[UUID, int], list[UUID]]:
        """The numbers of the streams of rows, and the streams that the file does not have yet."""
        ids, last = {}, None
        for row in rows:
            # Most rows have the same id object as the row before; hashing the id would cost more.
            if row[0] is not last:
                last = row[0]
                ids[last] = self._streams.number_of(last)
        known = {stream_id: number for stream_id, number in ids.items() if number is not None}
        if len(known) < len(ids):
            known |= _stored_numbers(connection, [i for i in ids if i not in known])
        return known, [i for i in ids if i not in known]

    def _remember(self, numbers: dict[UUID, int]) -> None:
        for stream_id, number in numbers.items():
            if self._streams.number_of(stream_id) is None:
                self._streams.remember(number, stream_id)


@cache
def _insertion(count: int) -> str:
    values = ",".join(["(?,?,?,?)"] * count)
    return f"INSERT INTO stored_events (stream, version, type, state) VALUES {values}"


def _insert(
    connection: sqlite3.Connection, rows: Sequence[NewRow], numbers: Mapping[UUID, int]
) -> range:
    """Insert rows by one statement."""
    values: list[Any] = []
    last, number = None, 0
    for stream_id, version, type_name, state in rows:
        if stream_id is not last:
            last, number = stream_id, numbers[stream_id]
        values += (number, version, type_name, state)
    try:
        position = connection.execute(_insertion(len(rows)), values).lastrowid
    except sqlite3.IntegrityError as error:
        raise IntegrityError(str(error)) from error
    assert position is not None
    # Only one transaction writes at a time, so the positions just given are consecutive.
    return range(position - len(rows) + 1, position + 1)


def _insert_all(
    connection: sqlite3.Connection, rows: Sequence[NewRow], numbers: Mapping[UUID, int]
) -> range:
    """Insert rows in the open transaction."""
    inserted = [_insert(connection, part, numbers) for part in _parts(rows)]
    return range(inserted[0].start, inserted[-1].stop)


def _stored_numbers(connection: sqlite3.Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """The numbers of the streams that are in the file."""
    found: dict[UUID, int] = {}
    for part in _parts(ids):
        rows = connection.execute(
            "SELECT originator_id, number FROM streams "
            f"WHERE originator_id IN ({','.join('?' * len(part))})",
            [stream_id.bytes for stream_id in part],
        )
        found |= {UUID(bytes=stream): number for stream, number in rows}
    return found


def _numbered(connection: sqlite3.Connection, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Give numbers to streams without one; another process may have been faster."""
    for part in _parts(ids):
        connection.execute(
            f"INSERT OR IGNORE INTO streams (originator_id) VALUES {','.join(['(?)'] * len(part))}",
            [stream_id.bytes for stream_id in part],
        )
    return _stored_numbers(connection, ids)


def _split(positions: range, batches: Sequence[Sequence[NewRow]]) -> Iterator[range]:
    first = 0
    for rows in batches:
        yield positions[first : first + len(rows)]
        first += len(rows)


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for first in range(0, len(items), _MOST_ROWS):
        yield items[first : first + _MOST_ROWS]
