"""Tables of read models with the meaning of each column: schema and reference in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Column", "Table", "View", "integer", "real", "text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column with its description."""

    name: str
    kind: str
    """`TEXT`, `INTEGER` or `REAL`."""
    about: str
    """Its meaning, with its unit if it has one."""
    default: str | int | None = None
    """The value in a new row if the event does not give one; None if every event gives one."""

    @property
    def definition(self) -> str:
        """The column as SQL."""
        if self.default is None:
            return f"{self.name} {self.kind} NOT NULL"
        shown = f"'{self.default}'" if isinstance(self.default, str) else self.default
        return f"{self.name} {self.kind} NOT NULL DEFAULT {shown}"


def text(name: str, about: str, default: str | None = None) -> Column:
    """A column of text."""
    return Column(name, "TEXT", about, default)


def integer(name: str, about: str, default: int | None = None) -> Column:
    """A column of whole numbers."""
    return Column(name, "INTEGER", about, default)


def real(name: str, about: str, default: int | None = None) -> Column:
    """A column of numbers."""
    return Column(name, "REAL", about, default)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a read model."""

    name: str
    about: str
    """What a row represents."""
    columns: Sequence[Column]
    key: Sequence[str]
    """The columns that identify a row."""
    indexes: Sequence[Sequence[str]] = ()
    clustered: bool = False
    """Whether the rows are stored in key order without a separate index (SQLite's `WITHOUT ROWID`):
    smaller and faster for short rows that are inserted in this order."""

    def statements(self) -> Iterator[str]:
        """The SQL that creates the table if it is missing."""
        columns = ", ".join(column.definition for column in self.columns)
        key = ", ".join(self.key)
        how = " WITHOUT ROWID" if self.clustered else ""
        yield f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, PRIMARY KEY ({key})){how}"
        for index in self.indexes:
            name = "_".join((self.name, "by", *index))
            yield f"CREATE INDEX IF NOT EXISTS {name} ON {self.name} ({', '.join(index)})"


@dataclass(frozen=True, slots=True)
class View:
    """A named query over tables of the same read model."""

    name: str
    about: str
    """What a row represents."""
    columns: Sequence[Column]
    select: str
    """The query; its columns are in the order of `columns`."""
    key: Sequence[str] = ()
    """The columns that identify a row."""

    def statements(self) -> Iterator[str]:
        """The SQL that creates the view if it is missing."""
        names = ", ".join(column.name for column in self.columns)
        yield f"CREATE VIEW IF NOT EXISTS {self.name} ({names}) AS {self.select}"
