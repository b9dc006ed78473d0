"""Questions in SQL to the read models, which can change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagaledger.domain.errors import QueryRefusedError

__all__ = ["Answer", "ask"]

_BUSY_TIMEOUT_S = 30.0
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns of a result, and its rows as they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[str | int | float | bytes | None, ...]]


@contextmanager
def ask(path: Path, query: str) -> Iterator[Answer]:
    """Ask the file of read models one SELECT, for the length of a `with` block.

    Raises:
        QueryRefusedError: it is no single SELECT, or the tables have nothing of the kind.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_S * 1000:.0f}")
        connection.execute("PRAGMA query_only=1")
        connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
        )
        try:
            cursor = connection.execute(query)
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise QueryRefusedError(str(error)) from error
        if cursor.description is None:
            raise QueryRefusedError("it selects nothing")
        try:
            yield Answer(tuple(column[0] for column in cursor.description), cursor)
        except sqlite3.Error as error:
            raise QueryRefusedError(str(error)) from error
