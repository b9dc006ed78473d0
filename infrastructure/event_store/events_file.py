"""Opening the file of the event log and of the snapshots beside it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sagaledger.infrastructure.errors import DatabaseCorruptError
from sagaledger.infrastructure.migrations import migrate
from sagaledger.infrastructure.migrations.events import APPLICATION_ID, EVENTS
from sagaledger.infrastructure.sqlite_files import connect

__all__ = ["open_events_file"]


def open_events_file(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made where it is new and brought to the newest format.

    Raises:
        DatabaseCorruptError: it is not an event log of ours.
        DataFolderError: it was written by a newer version.
        sqlite3.Error: it is damaged, or cannot be opened.
    """
    connection = connect(path)
    try:
        _check_whose_it_is(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        migrate(connection, path, EVENTS)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_whose_it_is(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id == APPLICATION_ID:
        return
    (table_count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    # Without tables it is new, or its making was cut short before anything was in it.
    if application_id or table_count:
        raise DatabaseCorruptError(str(path), "it is not an event log of sagaledger")
