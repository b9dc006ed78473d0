"""The tables of the read models as files for other programs, all as of one moment."""

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
    """A file that was written."""

    table: str
    path: Path
    rows: int
    size_bytes: int
    position: int
    """Where in the log its rows are: the same for all files of one export."""


def exportable_tables() -> dict[str, Table | View]:
    """Every table and view of every projection, by its name."""
    return {table.name: table for projection in PROJECTIONS for table in projection.tables}


def export_tables(
    database: Path, folder: Path, form: ExportFormat, names: Sequence[str] = ()
) -> list[Exported]:
    """Write tables, or all of them, to a file each: all as of one moment, in bounded memory.

    The folder is made if it is missing. No file has its name before all are complete and on disk;
    each then takes the place of one that was there before. Rows are in the order of their key.

    Raises:
        KeyError: there is no table of this name.
        ExportUnavailableError: what writes this format is not installed.
        OSError: a file cannot be written; those that were there are as they were.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: they cannot be read, or were not brought up to date.
    """
    tables = exportable_tables()
    chosen = [tables[name] for name in dict.fromkeys(names or tables)]
    require_format(form)
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"{table.name}.{form}" for table in chosen]
    # Two exports at once into one folder must not write to one file.
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
    """Write one table to disk. Returns how many rows it has."""
    count = 0
    with path.open("wb") as file:
        with rows_into(file, form, table, seen.position) as write:
            for rows in seen.batches(table, _BATCH):
                write(rows)
                count += len(rows)
        file.flush()
        os.fsync(file.fileno())
    return count
