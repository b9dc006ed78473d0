"""Files that hold one table each, written batch by batch: Parquet, CSV and JSON lines.

Parquet: https://parquet.apache.org/docs/file-format/; JSON lines: https://jsonlines.org; CSV: RFC
4180.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Any, BinaryIO, TypeAlias

from sagaledger.projections.engine.reading import Row
from sagaledger.projections.engine.tables import Table, View
from sagaledger.projections.errors import ExportUnavailableError

__all__ = ["ExportFormat", "WriteRows", "require_format", "rows_into"]

WriteRows: TypeAlias = Callable[[Sequence[Row]], None]
"""Writes the next rows of a table; at least one."""


class ExportFormat(StrEnum):
    """The file format of a table; the value is the file name's extension."""

    PARQUET = "parquet"
    """A row group per batch, compressed by zstd: text as `string`, integers as `int64`, numbers as
    `double`. Each field's metadata has the column's meaning as `description`; the file's has the
    table's, and `sagaledger.position`."""
    CSV = "csv"
    """UTF-8, with a line of column names; null is an empty field."""
    JSONL = "jsonl"
    """An object per line, in UTF-8."""


def require_format(form: ExportFormat) -> None:
    """Check that files of this format can be written.

    Raises:
        ExportUnavailableError: the library that writes this format is not installed.
    """
    if form is ExportFormat.PARQUET:
        try:
            # Imported here, because it is large and only this format needs it.
            import pyarrow.parquet  # noqa: F401 - checks that it is installed
        except ImportError as error:
            raise ExportUnavailableError(form, "export") from error


def rows_into(
    file: BinaryIO, form: ExportFormat, table: Table | View, position: int
) -> AbstractContextManager[WriteRows]:
    """A context manager whose value writes rows into an empty file; its end completes the file.

    `position` is the position in the log that the rows reflect.

    Raises:
        OSError: the file cannot be written; raised by a write, and at the end of the block.
    """
    match form:
        case ExportFormat.PARQUET:
            return _parquet(file, table, position)
        case ExportFormat.CSV:
            return _csv(file, table)
        case ExportFormat.JSONL:
            return _json_lines(file, table)


@contextmanager
def _csv(file: BinaryIO, table: Table | View) -> Iterator[WriteRows]:
    def write(rows: Sequence[Sequence[Any]]) -> None:
        lines = io.StringIO(newline="")
        # With this terminator the writer quotes values that contain a CR or an LF.
        csv.writer(lines, lineterminator="\r\n").writerows(rows)
        file.write(lines.getvalue().encode())

    write([[column.name for column in table.columns]])
    yield write


@contextmanager
def _json_lines(file: BinaryIO, table: Table | View) -> Iterator[WriteRows]:
    names = [column.name for column in table.columns]

    def write(rows: Sequence[Row]) -> None:
        for row in rows:
            line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
            file.write(f"{line}\n".encode())

    yield write


@contextmanager
def _parquet(file: BinaryIO, table: Table | View, position: int) -> Iterator[WriteRows]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {"TEXT": pyarrow.string(), "INTEGER": pyarrow.int64(), "REAL": pyarrow.float64()}
    fields = [
        pyarrow.field(
            column.name,
            types[column.kind],
            nullable=isinstance(table, View),
            metadata={"description": column.about},
        )
        for column in table.columns
    ]
    facts = {"description": table.about, "sagaledger.position": str(position)}
    schema = pyarrow.schema(fields, metadata=facts)

    def write(rows: Sequence[Row]) -> None:
        columns = [
            pyarrow.array(values, type=field.type)
            for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ]
        writer.write_batch(pyarrow.record_batch(columns, schema=schema))

    with ParquetWriter(file, schema, compression="zstd") as writer:
        yield write
