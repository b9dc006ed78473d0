"""The tables of the read models as files for other programs: Parquet, CSV and JSON lines.

Parquet: https://parquet.apache.org/docs/file-format/; JSON lines: https://jsonlines.org; CSV as
RFC 4180 has it.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

from sagaledger.domain.errors import ExportUnavailableError
from sagaledger.projections.registry import PROJECTIONS
from sagaledger.projections.tables import Table, View

__all__ = ["ExportFormat", "Exported", "export_tables", "exportable_tables"]

_BATCH = 10_000
_BUSY_TIMEOUT_S = 30.0

_Row: TypeAlias = tuple[str | int | float | None, ...]


class ExportFormat(StrEnum):
    """How a table is written."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written."""

    table: str
    path: Path
    rows: int
    size_bytes: int
    position: int
    """Where in the log its rows are: the same for all files of one export."""


class _Writer(Protocol):
    """Takes the rows of one table."""

    def write(self, rows: Sequence[_Row]) -> None:
        """Add rows."""

    def close(self) -> None:
        """End the file."""


def exportable_tables() -> dict[str, Table | View]:
    """Every table and view of every projection, by its name."""
    return {table.name: table for projection in PROJECTIONS for table in projection.tables}


def export_tables(
    database: Path, folder: Path, form: ExportFormat, names: Sequence[str] = ()
) -> Iterator[Exported]:
    """Write tables, or all of them, to a file each: all as of one moment, in bounded memory.

    A file is complete when it has its name; one that was there before is replaced.

    Raises:
        KeyError: there is no table of this name.
        ExportUnavailableError: what writes this format is not installed.
        OSError: a file cannot be written.
        sqlite3.Error: the read models cannot be read.
    """
    tables = exportable_tables()
    chosen = [tables[name] for name in names or tables]
    opener = _OPENERS[form]
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as reader:
        reader.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_S * 1000:.0f}")
        # One transaction over all: no file tells of an event that another does not know.
        reader.execute("BEGIN")
        (position,) = reader.execute("SELECT min(position) FROM progress").fetchone()
        for table in chosen:
            path = folder / f"{table.name}.{form}"
            count = _export(reader, table, path, opener)
            yield Exported(table.name, path, count, path.stat().st_size, position)


def _export(
    reader: sqlite3.Connection,
    table: Table | View,
    path: Path,
    opener: Callable[[Path, Table | View], _Writer],
) -> int:
    partial = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with closing(opener(partial, table)) as writer:
            for rows in _batches(reader, table):
                writer.write(rows)
                count += len(rows)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _batches(reader: sqlite3.Connection, table: Table | View) -> Iterator[Sequence[_Row]]:
    columns = ", ".join(column.name for column in table.columns)
    order = f" ORDER BY {', '.join(table.key)}" if isinstance(table, Table) else ""
    cursor = reader.execute(f"SELECT {columns} FROM {table.name}{order}")
    while rows := cursor.fetchmany(_BATCH):
        yield rows


class _CsvWriter:
    def __init__(self, path: Path, table: Table | View) -> None:
        self._file = path.open("w", encoding="utf-8", errors="surrogatepass", newline="")
        # Values are quoted that hold a character of the line end: either would break a row in two.
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow([column.name for column in table.columns])

    def write(self, rows: Sequence[_Row]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _JsonLinesWriter:
    def __init__(self, path: Path, table: Table | View) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._names = [column.name for column in table.columns]

    def write(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            self._file.write(json.dumps(dict(zip(self._names, row, strict=True))) + "\n")

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    """Each batch is a row group; what a column means is in its field's metadata."""

    def __init__(self, path: Path, table: Table | View) -> None:
        with _told_of_what_is_missing():
            import pyarrow as pa
            import pyarrow.parquet as parquet
        types = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64()}
        self._make: Any = pa.Table.from_arrays
        self._array: Any = pa.array
        self._schema: Any = pa.schema(
            [
                pa.field(c.name, types[c.kind], metadata={"description": c.about})
                for c in table.columns
            ],
            metadata={"description": table.about},
        )
        self._writer: Any = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[_Row]) -> None:
        columns = [
            self._array(values, type=field.type)
            for field, values in zip(self._schema, zip(*rows, strict=True), strict=True)
        ]
        self._writer.write_table(self._make(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


@contextmanager
def _told_of_what_is_missing() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ExportUnavailableError("parquet", "export") from error


_OPENERS: dict[ExportFormat, Callable[[Path, Table | View], _Writer]] = {
    ExportFormat.PARQUET: _ParquetWriter,
    ExportFormat.CSV: _CsvWriter,
    ExportFormat.JSONL: _JsonLinesWriter,
}
