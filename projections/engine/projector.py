"""Follows the event log. Rows and position change together, so each event counts exactly once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import after
from sagaledger.projections.engine.staging import discard, staging_file
from sagaledger.projections.engine.tables import Table, View
from sagaledger.projections.errors import ProjectionNewerError

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["BUSY_TIMEOUT_S", "Lag", "Projection", "Projector", "Rule", "each"]

_BATCH = 1000
BUSY_TIMEOUT_S = 30.0
"""How long a connection to the read models waits for another one that writes. It is their own
constant: this room imports nothing of `infrastructure`."""

Rule: TypeAlias = Callable[[sqlite3.Connection, Sequence[RecordedEvent]], object]
"""Applies consecutive events of one type to the rows; `ChunkWritten` events arrive as a
`ChunkRun`."""


def each(change: Callable[[sqlite3.Connection, RecordedEvent], object]) -> Rule:
    """A rule that applies the events one by one."""

    def apply(connection: sqlite3.Connection, events: Sequence[RecordedEvent]) -> None:
        for recorded in events:
            change(connection, recorded)

    return apply


class Projection(Protocol):
    """A read model: its tables, and the rules by which events change them."""

    @property
    def name(self) -> str:
        """The name under which its position is stored."""

    @property
    def version(self) -> int:
        """Increased with every change of tables or rules: the rows are then rebuilt."""

    @property
    def tables(self) -> Sequence[Table | View]:
        """Its tables and views."""

    @property
    def rules(self) -> Mapping[type[Event], Rule]:
        """The rule for each type of event; events of other types are ignored."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a projection is behind the log."""

    name: str
    version: int
    position: int
    """The position of the last applied event."""
    behind: int
    """The number of positions in the log after that."""


class Projector:
    """Keeps read models up to date with a log, in one SQLite file.

    All content of the file comes from the log. A file that is damaged or belongs to another log is
    rebuilt from position 0, and so is each projection that an older version has written.
    """

    def __init__(
        self, path: Path | None, log: EventStore, projections: Sequence[Projection]
    ) -> None:
        """Open the read models; None keeps them in memory.

        Raises:
            ValueError: two projections, or two of their tables, have the same name.
            ProjectionNewerError: a newer version has written the file.
            StorageBackendError: the file cannot be used.
        """
        _require_own_names(projections)
        self.path = path
        self._log = log
        self._projections = {projection.name: projection for projection in projections}
        self._lock = RLock()
        self._connection = self._open()
        try:
            outdated = self._outdated()
            if outdated:
                self.rebuild(outdated)
        except BaseException:
            self.close()
            raise

    def catch_up(self) -> int:
        """Apply all new events. Returns the position reached.

        Raises:
            ProjectionNewerError: a newer version has rebuilt the file.
            StorageBackendError: the file or the log cannot be read or written.
        """
        with self._lock:
            while True:
                with self._errors(), self._transaction() as connection:
                    position, more = self._advance(connection)
                if not more:
                    return position

    def rows(self, query: str, bindings: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query, after all new events are applied.

        Raises:
            ProjectionNewerError: a newer version has rebuilt the file.
            StorageBackendError: the file or the log cannot be read or written.
        """
        with self._lock:
            self.catch_up()
            with self._errors():
                return self._connection.execute(query, bindings).fetchall()

    def lags(self) -> list[Lag]:
        """How far each projection is behind the log, without catching up."""
        with self._lock, self._errors():
            end = self._log.last_position()
            return [
                Lag(name, self._projections[name].version, position, max(0, end - position))
                for name, position in sorted(self._positions(self._connection).items())
            ]

    def rebuild(self, names: Sequence[str] = ()) -> None:
        """Rebuild projections from position 0, while the old rows remain readable.

        The new rows replace the old ones atomically. Without names, all projections are rebuilt.

        Raises:
            KeyError: no projection has this name.
            StorageBackendError: the file or the log cannot be read or written.
        """
        chosen = [self._projections[name] for name in names or self._projections]
        with staging_file(self.path) as path:
            staging = Projector(path, self._log, chosen)
            try:
                staging.catch_up()
            finally:
                staging.close()
            with self._lock, self._errors():
                self._connection.execute("ATTACH DATABASE ? AS staging", (str(path),))
                try:
                    with self._transaction() as connection:
                        self._replace(connection, chosen)
                finally:
                    self._connection.execute("DETACH DATABASE staging")

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _advance(self, connection: sqlite3.Connection) -> tuple[int, bool]:
        """Apply the next batch. Returns the position reached, and whether more may follow."""
        positions = self._positions(connection)
        position = min(positions.values(), default=0)
        runs = self._log.read_log(position, _BATCH)
        if not runs:
            return position, False
        for name, counted in positions.items():
            rules = self._projections[name].rules
            for run in runs:
                rule = rules.get(run[0])
                # Most projections are at the same position; a rebuilt one is behind the others.
                new = after(run, counted) if rule else None
                if rule and new:
                    rule(connection, new[1])
        reached = runs[-1][1][-1].position
        connection.executemany(
            "UPDATE progress SET position=? WHERE name=? AND position<?",
            [(reached, name, reached) for name in positions],
        )
        return reached, sum(len(events) for _, events in runs) == _BATCH

    def _replace(self, connection: sqlite3.Connection, chosen: Sequence[Projection]) -> None:
        for projection in chosen:
            self._make(connection, projection)
            for table in projection.tables:
                if isinstance(table, Table):
                    connection.execute(
                        f"INSERT INTO main.{table.name} SELECT * FROM staging.{table.name}"
                    )
            connection.execute(
                "UPDATE main.progress SET position=(SELECT position FROM staging.progress "
                "WHERE name=?1) WHERE name=?1",
                (projection.name,),
            )
        # Apply the newest events in the same transaction, so that readers never go back in time.
        while self._advance(connection)[1]:
            pass

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
        except sqlite3.DatabaseError as error:
            if self.path is None or isinstance(error, sqlite3.OperationalError):
                raise StorageBackendError("projections", "open", str(error)) from error
            self._discard()
            connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:" if self.path is None else self.path,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            # Rows that a power loss destroys are rebuilt from the log.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            self._build(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _build(self, connection: sqlite3.Connection) -> None:
        known = connection.execute("SELECT name FROM pragma_table_info('progress')").fetchall()
        if known and [name for (name,) in known] != ["name", "version", "position", "tables"]:
            _drop(connection, _all_tables(connection))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, version INTEGER NOT NULL, "
            "position INTEGER NOT NULL, tables TEXT NOT NULL)"
        )
        (furthest,) = connection.execute("SELECT max(position) FROM progress").fetchone()
        if furthest and furthest > self._log.last_position():
            _drop(connection, [t for t in _all_tables(connection) if t != "progress"])
            connection.execute("DELETE FROM progress")
        versions = dict(connection.execute("SELECT name, version FROM progress").fetchall())
        for projection in self._projections.values():
            written = versions.get(projection.name)
            if written is not None and written > projection.version:
                raise ProjectionNewerError(projection.name, written, projection.version)
            if written is None:
                self._make(connection, projection)

    def _outdated(self) -> list[str]:
        with self._errors():
            rows = self._connection.execute("SELECT name, version FROM progress").fetchall()
        versions = {name: projection.version for name, projection in self._projections.items()}
        return [name for name, version in rows if version < versions.get(name, 0)]

    def _make(self, connection: sqlite3.Connection, projection: Projection) -> None:
        """Drop the projection's tables of an earlier version, and create empty ones."""
        before = connection.execute(
            "SELECT tables FROM main.progress WHERE name=?", (projection.name,)
        ).fetchone()
        _drop(connection, before["tables"].split() if before else [])
        for table in projection.tables:
            for statement in table.statements():
                connection.execute(statement)
        names = " ".join(table.name for table in projection.tables)
        connection.execute(
            "INSERT OR REPLACE INTO main.progress VALUES (?, ?, 0, ?)",
            (projection.name, projection.version, names),
        )

    def _discard(self) -> None:
        assert self.path is not None
        discard(self.path)

    def _positions(self, connection: sqlite3.Connection) -> dict[str, int]:
        """The position of each projection that has this program's version.

        Raises:
            ProjectionNewerError: another process has rebuilt a projection with a newer version.
        """
        positions: dict[str, int] = {}
        for name, version, position in connection.execute(
            "SELECT name, version, position FROM main.progress"
        ):
            projection = self._projections.get(name)
            if projection is None or version < projection.version:
                continue
            if version > projection.version:
                raise ProjectionNewerError(name, version, projection.version)
            positions[name] = position
        return positions

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Another process may write the same file: it waits here, and then continues from the
        # position that this transaction stores.
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


def _require_own_names(projections: Sequence[Projection]) -> None:
    tables = [table.name for projection in projections for table in projection.tables]
    for names in ([projection.name for projection in projections], [*tables, "progress"]):
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise ValueError(f"a projection and its tables need names of their own, not {twice}")


def _all_tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM main.sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite_%'"
    )
    return [name for (name,) in rows]


def _drop(connection: sqlite3.Connection, tables: Sequence[str]) -> None:
    kinds = dict(connection.execute("SELECT name, type FROM main.sqlite_master").fetchall())
    for table in tables:
        if table in kinds:
            connection.execute(f"DROP {kinds[table]} main.{table}")
