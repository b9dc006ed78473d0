"""Database files get from any older format to the newest, each as a whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from sagaledger.infrastructure.errors import DatabaseCorruptError, DataFolderError
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore
from sagaledger.infrastructure.migrations import Migration, migrate, statements
from sagaledger.infrastructure.migrations.documents import DOCUMENTS
from sagaledger.infrastructure.migrations.events import EVENTS
from sagaledger.infrastructure.migrations.leases import LEASES
from sagaledger.infrastructure.migrations.migration import MigratedConnection
from sagaledger.infrastructure.migrations.vectors import VECTORS
from sagaledger.infrastructure.relational_stores import sqlalchemy_store
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore
from sqlalchemy import create_engine


def in_upper_case(connection: MigratedConnection) -> None:
    for (name,) in [*connection.execute("SELECT name FROM people")]:
        connection.execute(f"INSERT INTO persons VALUES ('{name.upper()}')")
    connection.execute("DROP TABLE people")


FIRST = Migration(1, statements("CREATE TABLE people (name TEXT)"))
TWO_MORE = (
    FIRST,
    Migration(2, statements("CREATE TABLE persons (name TEXT)")),
    Migration(3, in_upper_case),
)


@pytest.fixture(params=["sqlite3", "apsw"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "people.db"
    opened: Any = (
        apsw.Connection(str(path))
        if request.param == "apsw"
        else sqlite3.connect(path, isolation_level=None)
    )
    with closing(opened):
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.db"


def old_file(connection: Any, path: Path) -> None:
    migrate(connection, path, [FIRST])
    connection.execute("INSERT INTO people VALUES ('ann'), ('bob')")


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(query).fetchall()


def number(path: Path) -> int:
    return int(rows(path, "PRAGMA user_version")[0][0])


def test_file_of_an_older_number_is_brought_through_each_step(connection: Any, path: Path) -> None:
    old_file(connection, path)

    migrate(connection, path, TWO_MORE)

    assert number(path) == 3
    assert rows(path, "SELECT * FROM persons") == [("ANN",), ("BOB",)]
    assert rows(path, "SELECT name FROM sqlite_master") == [("persons",)]
    migrate(connection, path, TWO_MORE)
    assert rows(path, "SELECT * FROM persons") == [("ANN",), ("BOB",)]


def test_file_that_is_new_is_made_by_every_step(connection: Any, path: Path) -> None:
    migrate(connection, path, TWO_MORE)

    assert (number(path), rows(path, "SELECT * FROM persons")) == (3, [])


@pytest.mark.parametrize("error", [ValueError("interrupted"), KeyboardInterrupt()])
def test_file_whose_migration_is_interrupted_between_steps_is_kept_whole(
    connection: Any, path: Path, error: BaseException
) -> None:
    old_file(connection, path)

    def interrupted(_: MigratedConnection) -> None:
        raise error

    with pytest.raises(type(error)):
        migrate(connection, path, [*TWO_MORE[:2], Migration(3, interrupted)])

    assert number(path) == 1
    assert rows(path, "SELECT * FROM people") == [("ann",), ("bob",)]
    assert rows(path, "SELECT name FROM sqlite_master") == [("people",)]
    migrate(connection, path, TWO_MORE)
    assert number(path) == 3


def test_migration_that_another_process_was_faster_with_is_not_done_again(
    connection: Any, path: Path
) -> None:
    old_file(connection, path)

    class Overtaken:
        """Another process migrates the file between its first look and its transaction."""

        in_transaction = False

        def execute(self, statement: str, /) -> Any:
            if statement == "BEGIN IMMEDIATE":
                with closing(sqlite3.connect(path, isolation_level=None)) as faster:
                    migrate(faster, path, TWO_MORE)
            return connection.execute(statement)

    migrate(Overtaken(), path, TWO_MORE)

    assert number(path) == 3
    assert rows(path, "SELECT * FROM persons") == [("ANN",), ("BOB",)]


def test_file_of_a_newer_number_is_refused_and_left_as_it_is(connection: Any, path: Path) -> None:
    migrate(connection, path, TWO_MORE)

    with pytest.raises(DataFolderError, match=r"people\.db has format 3, written by a newer"):
        migrate(connection, path, TWO_MORE[:1])

    assert number(path) == 3


def leases(path: Path) -> SqliteLeaseStore:
    return SqliteLeaseStore(path, path.with_name("workers"), SystemClock())


FILES: dict[str, tuple[Callable[[Path], Any], Sequence[Migration]]] = {
    "events.db": (SqliteEventStore, EVENTS),
    "leases.db": (leases, LEASES),
    "documents.db": (SqlAlchemyRelationalStore, DOCUMENTS),
    "vectors.db": (SqliteVecVectorStore, VECTORS),
}


@pytest.mark.parametrize("name", FILES)
def test_database_file_records_its_format_number(name: str, tmp_path: Path) -> None:
    open_store, migrations = FILES[name]

    open_store(tmp_path / name).close()

    assert number(tmp_path / name) == len(migrations) == migrations[-1].number


@pytest.mark.parametrize("name", FILES)
def test_database_file_of_version_0_1_0_without_a_number_gets_one(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    open_store, migrations = FILES[name]
    open_store(path).close()
    before = rows(path, "SELECT name, sql FROM sqlite_master ORDER BY name")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version=0")

    open_store(path).close()

    assert number(path) == len(migrations)
    assert rows(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == before


@pytest.mark.parametrize("name", FILES)
def test_database_file_of_a_newer_version_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    open_store, migrations = FILES[name]
    open_store(path).close()
    newer = len(migrations) + 1
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version={newer}")

    with pytest.raises(DataFolderError, match=f"{name} has format {newer}, written by a newer"):
        open_store(path)

    assert [file.name for file in tmp_path.glob("workers/*")] == []


def test_event_log_that_is_none_of_ours_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()

    with pytest.raises(DatabaseCorruptError, match="not an event log of sagaledger"):
        SqliteEventStore(path)

    assert path.read_bytes() == before


def test_tables_of_the_newest_documents_format_are_those_the_store_uses(tmp_path: Path) -> None:
    SqlAlchemyRelationalStore(tmp_path / "documents.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'described.db'}")
    sqlalchemy_store._metadata.create_all(engine)
    engine.dispose()

    assert shape(tmp_path / "documents.db") == shape(tmp_path / "described.db")


def shape(path: Path) -> dict[str, list[Any]]:
    """Columns of tables and indexes, by name."""
    found = {}
    for kind, name in rows(path, "SELECT type, name FROM sqlite_master"):
        pragma = "table_info" if kind == "table" else "index_info"
        found[name] = rows(path, f"PRAGMA {pragma}({name})")
    return found
