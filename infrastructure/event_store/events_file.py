"""Opens the file of the event log and of its snapshots."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sagaledger.infrastructure.errors import DatabaseCorruptError
from sagaledger.infrastructure.migrations import migrate
from sagaledger.infrastructure.migrations.events import APPLICATION_ID, EVENTS
from sagaledger.infrastructure.sqlite_files import connect

__all__ = ["open_events_file"]


def open_events_file(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is created or migrated to the newest format.

    Raises:
        DatabaseCorruptError: The file is not an event log of sagaledger.
        DataFolderError: The file was written by a newer version.
        sqlite3.Error: The file is damaged, or cannot be opened.
    """
    connection = connect(path)
    try:
        _check_is_event_log(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        migrate(connection, path, EVENTS)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_is_event_log(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id == APPLICATION_ID:
        return
    (table_count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    # Without tables the file is new, or its creation was interrupted.
    if application_id or table_count:
        raise DatabaseCorruptError(str(path), "it is not an event log of sagaledger")
