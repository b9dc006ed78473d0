"""Migrates an SQLite file to the newest format, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sagaledger.infrastructure.errors import DataFolderError

__all__ = ["MigratedConnection", "Migration", "migrate", "statements"]


class MigratedConnection(Protocol):
    """A connection of `sqlite3` or `apsw` that starts no transaction by itself."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str, /) -> Iterable[Any]:
        """Run one statement. Returns its rows."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Changes a file from the previous format number to this one."""

    number: int
    apply: Callable[[MigratedConnection], None]
    """Runs inside a transaction, which it neither starts nor ends."""


def statements(*all_of: str) -> Callable[[MigratedConnection], None]:
    """A function that runs these statements in order."""

    def apply(connection: MigratedConnection) -> None:
        for statement in all_of:
            connection.execute(statement)

    return apply


def migrate(connection: MigratedConnection, path: Path, migrations: Sequence[Migration]) -> None:
    """Migrate a file to the newest format in one transaction, as durable as the connection.

    The numbers of the migrations are 1, 2, 3 and so on. Several processes may do it at once.

    Raises:
        DataFolderError: the file has a newer format than these; nothing is changed.
        Exception: The driver failed; the file is unchanged.
    """
    assert [migration.number for migration in migrations] == [*range(1, len(migrations) + 1)]
    if not _missing(connection, path, migrations):
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        for migration in _missing(connection, path, migrations):
            migration.apply(connection)
            connection.execute(f"PRAGMA user_version={migration.number}")
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has already rolled back, and a second rollback is an error.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _missing(
    connection: MigratedConnection, path: Path, migrations: Sequence[Migration]
) -> Sequence[Migration]:
    ((number,),) = [*connection.execute("PRAGMA user_version")]
    if number > len(migrations):
        detail = f"{path.name} has format {number}, written by a newer version; upgrade sagaledger"
        raise DataFolderError(str(path.parent), detail)
    return migrations[number:]
