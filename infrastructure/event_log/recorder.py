"""The library's recorders, fitted: compact rows, real durability, positions never reused.

A stream's 16-byte id is stored once, in `streams`; events name it by a small number. Positions are
`AUTOINCREMENT`, so that a follower's saved position can never come to mean another event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import InterfaceError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder
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
    "MemoryRecorder",
    "StoredRow",
]

APPLICATION_ID = 0x5A6A4C67
FORMAT_VERSION = 1
BUSY_TIMEOUT_S = 30
_PAGE = 1000
_REMEMBERED_STREAMS = 10_000


class StoredRow(NamedTuple):
    """A stored event as the library's mapper takes it, lighter than its own class."""

    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    id: int


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
        numbers = {s.originator_id: 0 for s in stored_events}
        for stream_id in numbers:
            assert isinstance(stream_id, UUID)
            numbers[stream_id] = self._number_of(c, stream_id)
        c.executemany(
            f"INSERT INTO {table} (stream, version, type, state) VALUES (?,?,?,?)",
            [
                (numbers[s.originator_id], s.originator_version, s.topic, s.state)
                for s in stored_events
            ],
        )
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

    def stream_pages(self, originator_id: UUID, after_version: int) -> Iterator[StoredRow]:
        """The rows of one stream, a page at a time."""
        while page := self.select_events(originator_id, gt=after_version, limit=_PAGE):
            yield from page
            after_version = page[-1].originator_version

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
        rows = self.rows_between(first, last, limit, topics)
        return [StoredRow(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def rows_between(
        self, first: int, last: int, limit: int, topics: Sequence[str] = ()
    ) -> Iterator[tuple[bytes, int, str, bytes, int]]:
        """The rows from one position to another, plain, for a replay reads millions of them.

        Each is the stream's id as its 16 bytes, version, type name, state and position.
        """
        chosen = f"AND type IN ({','.join('?' * len(topics))}) " if topics else ""
        statement = (
            "SELECT originator_id, version, type, state, position "
            f"FROM {self.events_table_name} JOIN streams ON number=stream "
            f"WHERE position>=? AND position<=? {chosen}ORDER BY position LIMIT ?"
        )
        with self._cursor() as c:
            yield from c.execute(statement, (first, last, *topics, limit))

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


class MemoryRecorder(POPOApplicationRecorder):
    """Keeps rows in memory. A row of one stream knows its position in the whole, as in a file."""

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
        found = super().select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        indexes = self._stored_events_index[str(originator_id)]
        return [
            StoredRow(
                originator_id,
                row.originator_version,
                row.topic,
                row.state,
                indexes[row.originator_version] + 1,
            )
            for row in found
        ]

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
        found = super().select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )
        return [
            StoredRow(n.originator_id, n.originator_version, n.topic, n.state, n.id)  # type: ignore[arg-type]  # Our ids are never text.
            for n in found
        ]
