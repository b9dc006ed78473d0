"""Follows the event log: rows and position change together, so each event counts exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.events import Recorded
from sagaledger.domain.ports import EventLog

__all__ = ["Projection", "Projector"]

_BATCH = 1000
_BUSY_TIMEOUT_S = 30.0


class Projection(Protocol):
    """A read model: the tables it keeps, and how each event changes them."""

    @property
    def name(self) -> str:
        """What the position is kept under."""

    @property
    def version(self) -> int:
        """Raised with every change of tables or rules: the rows are then made anew."""

    @property
    def schema(self) -> str:
        """SQL that makes the tables where they are missing."""

    def apply(self, connection: sqlite3.Connection, recorded: Recorded) -> None:
        """Change the rows as this event demands."""


class Projector:
    """Keeps read models up to date with a log, in one SQLite file.

    The file holds nothing that the log does not: one that is damaged, of another version or of
    another log is made anew from position 0.
    """

    def __init__(self, path: Path | None, log: EventLog, projections: Sequence[Projection]) -> None:
        """Open the read models; None keeps them in memory.

        Raises:
            StorageBackendError: the file cannot be used.
        """
        self._path = path
        self._log = log
        self._projections = projections
        self._lock = RLock()
        self._version = ",".join(f"{p.name}/{p.version}" for p in projections)
        self._connection = self._open()

    def catch_up(self) -> int:
        """Apply every event that is not applied yet. Returns the position reached."""
        with self._lock:
            while True:
                with self._errors(), self._transaction() as connection:
                    position = self._position(connection)
                    batch = self._log.read_log(position, _BATCH)
                    for recorded in batch:
                        for projection in self._projections:
                            projection.apply(connection, recorded)
                    if batch:
                        position = batch[-1].position
                        connection.execute("UPDATE progress SET position=?", (position,))
                if len(batch) < _BATCH:
                    return position

    def rows(self, query: str, bindings: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """What a query finds once every event is applied."""
        with self._lock:
            self.catch_up()
            with self._errors():
                return self._connection.execute(query, bindings).fetchall()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._prepared()
        except sqlite3.DatabaseError as error:
            if self._path is None or isinstance(error, sqlite3.OperationalError):
                raise StorageBackendError("projections", "open", str(error)) from error
            self._discard()
            connection = self._prepared()
        return connection

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            # What a power loss takes from a read model, the log gives back.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            self._build(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _build(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS progress (version TEXT NOT NULL, position INTEGER NOT NULL)"
        )
        row = connection.execute("SELECT version, position FROM progress").fetchone()
        if row is not None and (
            row["version"] != self._version or row["position"] > self._log.last_position()
        ):
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for table in tables:
                connection.execute(f"DROP TABLE {table['name']}")
            self._build(connection)
            return
        for projection in self._projections:
            for statement in filter(str.strip, projection.schema.split(";")):
                connection.execute(statement)
        if row is None:
            connection.execute("INSERT INTO progress VALUES (?, 0)", (self._version,))

    def _discard(self) -> None:
        assert self._path is not None
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _position(self, connection: sqlite3.Connection) -> int:
        position: int = connection.execute("SELECT position FROM progress").fetchone()[0]
        return position

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Another process may follow the same log into the same file: it waits here, and then
        # reads the position that we leave.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageBackendError("projections", "update", str(error)) from error
