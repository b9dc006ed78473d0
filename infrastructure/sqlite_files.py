"""What holds of every SQLite file of ours: how long a writer waits, and what an error means."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sagaledger.domain.errors import SagaledgerError, StorageBackendError, StorageFullError
from sagaledger.infrastructure.errors import DatabaseCorruptError

__all__ = ["BUSY_TIMEOUT_S", "ConnectionPool", "connect", "storage_error"]

BUSY_TIMEOUT_S = 30
"""How long a connection waits for another one that writes."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread at a time, whose transactions are begun by `BEGIN` alone.

    It syncs at each commit and holds foreign keys; the journal's mode is the file's.

    Raises:
        sqlite3.Error: the file cannot be opened.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        connection.close()
        raise
    return connection


class ConnectionPool:
    """Connections to one file, each used by one thread at a time. Who makes the pool closes it."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for the block, which ends every transaction that it begins.

        Raises:
            sqlite3.ProgrammingError: the pool is closed.
            sqlite3.Error: the file cannot be opened.
        """
        with self._lock:
            if self._is_closed:
                raise sqlite3.ProgrammingError(f"{self._path.name} is closed")
            idle = self._idle.pop() if self._idle else None
        connection = idle or connect(self._path)
        try:
            yield connection
        finally:
            self.give(connection)

    def give(self, connection: sqlite3.Connection) -> None:
        """Let the pool use a connection to its file, and close it in the end."""
        with self._lock:
            if not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every connection; one that is in use when its block ends. Idempotent."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def storage_error(error: Exception, store: str, operation: str, path: Path) -> SagaledgerError:
    """What an error of SQLite means, whichever driver raised it: SQLite's words are the same."""
    words = str(error)
    if "disk is full" in words:
        return StorageFullError(store, operation, words)
    if "malformed" in words or "not a database" in words:
        return DatabaseCorruptError(str(path), words)
    return StorageBackendError(store, operation, words)
