"""Read-only access to the file of read models: SQL queries and snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sagaledger.domain.errors import StorageBackendError
from sagaledger.projections.engine.projector import BUSY_TIMEOUT_S, Projection
from sagaledger.projections.engine.tables import Table, View
from sagaledger.projections.errors import ProjectionNewerError, QueryRefusedError

__all__ = ["Answer", "Row", "Snapshot", "ask", "snapshot"]

Row: TypeAlias = tuple[str | int | float | bytes | None, ...]

_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns of a result, and an iterator over its rows."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


@contextmanager
def ask(path: Path, query: str) -> Iterator[Answer]:
    """Run one SELECT on the file of read models, for the length of a `with` block.

    Raises:
        QueryRefusedError: the query is not a single SELECT over existing tables and columns.
    """
    with closing(_read_only(path)) as connection:
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The read models at one position of the log. Later writes do not change it."""

    position: int
    """The position of the last event in all tables."""
    _connection: sqlite3.Connection

    def batches(self, table: Table | View, size: int) -> Iterator[list[Row]]:
        """The rows of a table in key order, in batches of 1 to `size` rows.

        Raises:
            StorageBackendError: the file cannot be read.
        """
        columns = ", ".join(column.name for column in table.columns)
        # The order must not depend on how the file was built.
        order = f" ORDER BY {', '.join(table.key)}" if table.key else ""
        with _errors():
            cursor = self._connection.execute(f"SELECT {columns} FROM {table.name}{order}")
            while batch := cursor.fetchmany(size):
                yield batch


@contextmanager
def snapshot(path: Path, projections: Sequence[Projection]) -> Iterator[Snapshot]:
    """A consistent snapshot of the read models for one reader, for the length of a `with` block.

    Writers are not blocked; the file's write-ahead log grows until the block ends.

    Raises:
        ProjectionNewerError: a newer version has written one of these projections.
        StorageBackendError: the file cannot be read, or the projections differ in position.
    """
    with _errors():
        connection = _read_only(path)
    with closing(connection):
        with _errors():
            connection.execute("BEGIN")
            # The first read fixes the snapshot of the transaction.
            rows = connection.execute("SELECT name, version, position FROM progress").fetchall()
        found = {name: (version, position) for name, version, position in rows}
        yield Snapshot(_common_position(found, projections), connection)


def _common_position(found: dict[str, tuple[int, int]], projections: Sequence[Projection]) -> int:
    positions = set()
    for projection in projections:
        version, position = found.get(projection.name, (0, 0))
        if version > projection.version:
            raise ProjectionNewerError(projection.name, version, projection.version)
        positions.add(position if version == projection.version else None)
    common = positions.pop() if len(positions) == 1 else None
    if common is None:
        cause = "the projections differ in position; bring them up to date first"
        raise StorageBackendError("projections", "read", cause)
    return common


def _read_only(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
    )
    connection.execute("PRAGMA query_only=1")
    return connection


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageBackendError("projections", "read", str(error)) from error
