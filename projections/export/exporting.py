"""Exports the tables of the read models to files, all from one snapshot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagaledger.projections.engine.reading import Snapshot, snapshot
from sagaledger.projections.engine.tables import Table, View
from sagaledger.projections.export.table_files import ExportFormat, require_format, rows_into
from sagaledger.projections.registry import PROJECTIONS

__all__ = ["Exported", "export_tables", "exportable_tables"]

_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Exported:
    """A written file."""

    table: str
    path: Path
    rows: int
    size_bytes: int
    position: int
    """The position in the log that its rows reflect; the same for all files of one export."""


def exportable_tables() -> dict[str, Table | View]:
    """All tables and views of all projections, by name."""
    return {table.name: table for projection in PROJECTIONS for table in projection.tables}


def export_tables(
    database: Path, folder: Path, form: ExportFormat, names: Sequence[str] = ()
) -> list[Exported]:
    """Write each of these tables, or all, to a file: from one snapshot, in bounded memory.

    The folder is created if it is missing. Files get their final names, and replace existing files,
    only after all files are complete and durable. Rows are in key order.

    Raises:
        KeyError: no table has this name.
        ExportUnavailableError: the library that writes this format is not installed.
        OSError: a file cannot be written; existing files are unchanged.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: the read models cannot be read, or are not up to date.
    """
    tables = exportable_tables()
    chosen = [tables[name] for name in dict.fromkeys(names or tables)]
    require_format(form)
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"{table.name}.{form}" for table in chosen]
    # Concurrent exports into one folder must not write to the same file.
    partials = [place.with_name(f".{place.name}.{os.getpid()}.part") for place in places]
    try:
        with snapshot(database, PROJECTIONS) as seen:
            counts = [
                _write(seen, table, form, partial)
                for table, partial in zip(chosen, partials, strict=True)
            ]
        for partial, place in zip(partials, places, strict=True):
            partial.replace(place)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)
    return [
        Exported(table.name, place, count, place.stat().st_size, seen.position)
        for table, place, count in zip(chosen, places, counts, strict=True)
    ]


def _write(seen: Snapshot, table: Table | View, form: ExportFormat, path: Path) -> int:
    """Write one table to disk. Returns the number of rows."""
    count = 0
    with path.open("wb") as file:
        with rows_into(file, form, table, seen.position) as write:
            for rows in seen.batches(table, _BATCH):
                write(rows)
                count += len(rows)
        file.flush()
        os.fsync(file.fileno())
    return count
