"""A write transaction on a plain SQLite connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["write_transaction"]


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit the block's changes, or roll them back. The connection must have no isolation level.

    The write lock is taken at once, because SQLite does not wait when it upgrades a read
    transaction.

    Raises:
        sqlite3.Error: the file cannot be written; nothing is stored.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Without an open transaction (not begun, or ended by a full disk) this does nothing.
        connection.rollback()
        raise
