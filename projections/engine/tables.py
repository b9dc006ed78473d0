"""Tables of read models, each column with its meaning: the schema and the reference in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Column", "Table", "View", "integer", "real", "text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and what an analyst has to know of it."""

    name: str
    kind: str
    """`TEXT`, `INTEGER` or `REAL`."""
    about: str
    """Its meaning, with its unit where it has one."""
    default: str | int | None = None
    """What a new row has where its event does not say; None where every event says."""

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
    """What a row is."""
    columns: Sequence[Column]
    key: Sequence[str]
    """The columns that tell one row from another."""
    indexes: Sequence[Sequence[str]] = ()
    clustered: bool = False
    """Whether the rows themselves lie in the order of the key, beside no index: smaller and quicker
    for short rows that come in this order (SQLite's `WITHOUT ROWID`)."""

    def statements(self) -> Iterator[str]:
        """The SQL that makes the table where it is missing."""
        columns = ", ".join(column.definition for column in self.columns)
        key = ", ".join(self.key)
        how = " WITHOUT ROWID" if self.clustered else ""
        yield f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, PRIMARY KEY ({key})){how}"
        for index in self.indexes:
            name = "_".join((self.name, "by", *index))
            yield f"CREATE INDEX IF NOT EXISTS {name} ON {self.name} ({', '.join(index)})"


@dataclass(frozen=True, slots=True)
class View:
    """A question to tables of the same read model that has a name."""

    name: str
    about: str
    """What a row is."""
    columns: Sequence[Column]
    select: str
    """The question; its columns are in the order of `columns`."""
    key: Sequence[str] = ()
    """The columns that tell one row from another."""

    def statements(self) -> Iterator[str]:
        """The SQL that makes the view where it is missing."""
        names = ", ".join(column.name for column in self.columns)
        yield f"CREATE VIEW IF NOT EXISTS {self.name} ({names}) AS {self.select}"
