"""One transaction of a plain SQLite connection that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["write_transaction"]


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does, or undo it. The connection must have no isolation level.

    The write lock is taken at once: a transaction that began by reading could not wait for a rival.

    Raises:
        sqlite3.Error: the file cannot be written; nothing is stored.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Where it did not begin, or a full disk ended it already, this does nothing.
        connection.rollback()
        raise
