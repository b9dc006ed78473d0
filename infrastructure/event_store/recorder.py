"""The library's recorders, fitted: compact rows, real durability, positions never reused.

A stream's 16-byte id is stored once, in `streams`; events name it by a small number. Positions are
`AUTOINCREMENT`, so that a follower's saved position can never come to mean another event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from eventsourcing.persistence import DatabaseError, InterfaceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

__all__ = [
    "APPLICATION_ID",
    "BUSY_TIMEOUT_S",
    "FORMAT_VERSION",
    "LedgerDatastore",
    "LedgerRecorder",
    "PlainRow",
    "SnapshotRecorder",
    "StoredRow",
]

APPLICATION_ID = 0x5A6A4C67
FORMAT_VERSION = 1
BUSY_TIMEOUT_S = 30
_REMEMBERED_STREAMS = 10_000


class StoredRow(NamedTuple):
    """A stored event as the library's mapper takes it, lighter than its own class."""

    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    id: int


PlainRow: TypeAlias = tuple[int | UUID, int, str, bytes, int]
"""A stored event: what stands for its stream, its version, type name, state and position."""


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error as error:
            connection.close()
            raise InterfaceError(error) from error
        return connection


class LedgerDatastore(SQLiteDatastore):
    """Connections in WAL mode that wait for a rival writer and sync at every commit."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.pool.close()
        self.pool = _Pool(db_name=path, lock_timeout=BUSY_TIMEOUT_S, pool_timeout=BUSY_TIMEOUT_S)


class LedgerRecorder(SQLiteApplicationRecorder):
    """Stores and selects rows of one table of events, or of snapshots."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore, table: str = "stored_events") -> None:
        """Use a table of the datastore's file."""
        super().__init__(datastore, table)
        self._numbers: dict[UUID, int] = {}
        self.streams = _StreamIds(self)
        """The ids of streams by the numbers that stand for them in rows."""

    def construct_create_table_statements(self) -> list[str]:
        """The tables, and the marks that say what file this is."""
        table = self.events_table_name
        return [
            f"PRAGMA application_id={APPLICATION_ID}",
            f"PRAGMA user_version={FORMAT_VERSION}",
            """CREATE TABLE IF NOT EXISTS streams (
                number INTEGER PRIMARY KEY,
                originator_id BLOB NOT NULL UNIQUE)""",
            f"""CREATE TABLE IF NOT EXISTS {table} (
                position INTEGER PRIMARY KEY AUTOINCREMENT,
                stream INTEGER NOT NULL REFERENCES streams(number),
                version INTEGER NOT NULL,
                type TEXT NOT NULL,
                state BLOB NOT NULL,
                UNIQUE (stream, version))""",
        ]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        table = self.events_table_name
        numbers: dict[UUID, int] = {}
        rows, stream_id, number = [], None, 0
        for s in stored_events:
            # Most follow one of the same stream, whose very id they hold: hashing it costs more.
            if s.originator_id is not stream_id:
                assert isinstance(s.originator_id, UUID)
                stream_id = s.originator_id
                number = numbers.get(stream_id) or self._number_of(c, stream_id)
                numbers[stream_id] = number
            rows.append((number, s.originator_version, s.topic, s.state))
        c.executemany(f"INSERT INTO {table} (stream, version, type, state) VALUES (?,?,?,?)", rows)
        # The transaction holds the only write lock, so the positions just given are consecutive.
        c.execute("SELECT seq FROM sqlite_sequence WHERE name=?", (table,))
        last: int = c.fetchone()[0]
        return range(last - len(stored_events) + 1, last + 1)

    def _number_of(self, c: SQLiteCursor, stream_id: UUID) -> int:
        known = self._numbers.get(stream_id)
        if known is not None:
            return known
        key = (stream_id.bytes,)
        # A write comes first: a transaction that begins by reading could not wait for a rival.
        c.execute("INSERT OR IGNORE INTO streams (originator_id) VALUES (?)", key)
        c.execute("SELECT number, changes() FROM streams WHERE originator_id=?", key)
        number, is_new = c.fetchone()
        if not is_new:
            # A new one is not: if this transaction fails, another stream may get its number.
            if len(self._numbers) >= _REMEMBERED_STREAMS:
                self._numbers.clear()
            self._numbers[stream_id] = number
        return int(number)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[Any]:
        """The rows of one stream."""
        assert isinstance(originator_id, UUID)
        statement = (
            f"SELECT version, type, state, position FROM {self.events_table_name} "
            "WHERE stream=(SELECT number FROM streams WHERE originator_id=?) "
            "AND version>? AND version<=? "
            f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?"
        )
        bounds = (gt or 0, 2**62 if lte is None else lte, -1 if limit is None else limit)
        rows = self._select(statement, (originator_id.bytes, *bounds))
        return [StoredRow(originator_id, *row) for row in rows]

    def max_version(self, originator_id: UUID) -> int:
        """The number of the stream's last event; 0 for none."""
        statement = (
            f"SELECT MAX(version) FROM {self.events_table_name} "
            "WHERE stream=(SELECT number FROM streams WHERE originator_id=?)"
        )
        return self._select(statement, (originator_id.bytes,))[0][0] or 0

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Any]:
        """The rows of all streams from a position on."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        last = 2**62 if stop is None else stop
        chosen = f"AND type IN ({','.join('?' * len(topics))}) " if topics else ""
        statement = (
            "SELECT originator_id, version, type, state, position "
            f"FROM {self.events_table_name} JOIN streams ON number=stream "
            f"WHERE position>=? AND position<=? {chosen}ORDER BY position LIMIT ?"
        )
        rows = self._select(statement, (first, last, *topics, limit))
        return [StoredRow(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def rows_after(self, position: int, limit: int) -> Sequence[PlainRow]:
        """The rows of all streams after a position, plain, for a replay reads millions of them.

        Their streams are numbers, which `streams` has the ids of: cheaper than a join.
        """
        statement = (
            f"SELECT stream, version, type, state, position FROM {self.events_table_name} "
            "WHERE position>? ORDER BY position LIMIT ?"
        )
        return self._select(statement, (position, limit))

    def stream_rows_after(
        self, originator_id: UUID, version: int, limit: int
    ) -> Sequence[PlainRow]:
        """The rows of one stream after a version, as plain."""
        statement = (
            f"SELECT stream, version, type, state, position FROM {self.events_table_name} "
            "WHERE stream=(SELECT number FROM streams WHERE originator_id=?) AND version>? "
            "ORDER BY version LIMIT ?"
        )
        rows = self._select(statement, (originator_id.bytes, version, limit))
        if rows:
            self.streams.remember(rows[0][0], originator_id)
        return rows

    def stream_of(self, number: int) -> UUID:
        """The id of the stream that a stored row calls by this number.

        Raises:
            DatabaseError: there is none, so the file was damaged.
        """
        found = self._select("SELECT originator_id FROM streams WHERE number=?", (number,))
        if not found:
            raise DatabaseError(f"malformed: an event is of stream {number}, which is not there")
        return UUID(bytes=found[0][0])

    def _max_notification_id(self, c: SQLiteCursor) -> int:
        c.execute(f"SELECT MAX(position) FROM {self.events_table_name}")
        return c.fetchone()[0] or 0

    def _select(self, statement: str, params: Sequence[Any]) -> list[Any]:
        with self._cursor() as c:
            rows: list[Any] = c.execute(statement, params).fetchall()
            return rows

    @contextmanager
    def _cursor(self) -> Iterator[sqlite3.Cursor]:
        with self.datastore.transaction(commit=False) as c:
            # The library asks for rows by name, which cost more than plain ones.
            c.sqlite_cursor.row_factory = None
            yield c.sqlite_cursor


class SnapshotRecorder(LedgerRecorder):
    """Stores and selects snapshots, whose states are large."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        """Use the table of snapshots in the datastore's file."""
        super().__init__(datastore, "snapshots")

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[Any]:
        """The snapshots of one stream."""
        assert isinstance(originator_id, UUID)
        statement = (
            f"SELECT version, type, position FROM {self.events_table_name} "
            "WHERE stream=(SELECT number FROM streams WHERE originator_id=?) "
            "AND version>? AND version<=? "
            f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?"
        )
        bounds = (gt or 0, 2**62 if lte is None else lte, -1 if limit is None else limit)
        with self._cursor() as c:
            rows = c.execute(statement, (originator_id.bytes, *bounds)).fetchall()
            return [
                StoredRow(originator_id, version, type_name, self._state_at(c, position), position)
                for version, type_name, position in rows
            ]

    def _state_at(self, c: sqlite3.Cursor, position: int) -> bytes:
        # Read as a file is: a selected value is put together by SQLite first, and copied then.
        table = self.events_table_name
        with c.connection.blobopen(table, "state", position, readonly=True) as blob:
            return blob.read()


class _StreamIds(dict[int, UUID]):
    """Ids by number, looked up once: a stream that was ever seen keeps its number."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self._recorder = recorder

    def __missing__(self, number: int) -> UUID:
        found = self._recorder.stream_of(number)
        self.remember(number, found)
        return found

    def remember(self, number: int, stream_id: UUID) -> None:
        """Know an id without a lookup."""
        if len(self) >= _REMEMBERED_STREAMS:
            self.clear()
        self[number] = stream_id
