"""Files of one export show one position of the log, and take little memory to write."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event, Thread
from uuid import UUID

import pyarrow.parquet
import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.infrastructure.event_store import MemoryEventStore
from sagaledger.projections import (
    Exported,
    ExportFormat,
    Projector,
    export_tables,
    exportable_tables,
    open_projections,
    snapshot,
)
from sagaledger.projections.errors import ProjectionNewerError
from sagaledger.projections.registry import PROJECTIONS

from tests.support.driven_sagas import DrivenSaga, ticking_clock
from tests.support.specification import step

SHAPE = SagaDefinition("any", [step("start"), step("vector")])
BATCH = 10_000


class Ledger:
    """A log that sagas write, and read models in a file that follow it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = MemoryEventStore()
        self.projector: Projector = open_projections(path, self.log)
        self._chance = Random(1)
        self._sagas = 0

    def live(self) -> None:
        """One more saga lives, and the read models tell of it."""
        self._sagas += 1
        driven = DrivenSaga(self.log, UUID(int=self._sagas), SHAPE, ticking_clock(), self._chance)
        for _ in range(8):
            driven.go_on()
            driven.go_on_uploading()
        self.projector.catch_up()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "projections.db")
    ledger.live()
    yield ledger
    ledger.projector.close()


def contents(files: list[Exported]) -> dict[str, bytes]:
    return {file.table: file.path.read_bytes() for file in files}


def add_chunks(path: Path, count: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1 < ?) "
            "INSERT INTO chunks SELECT 'many', i, hex(randomblob(32)), i, 'raw', 1, i FROM n",
            (count,),
        )


def test_snapshot_shows_nothing_of_what_comes_after_its_begin(ledger: Ledger) -> None:
    before = {name: ledger.projector.rows(f"SELECT * FROM {name}") for name in exportable_tables()}
    position = ledger.log.last_position()

    with snapshot(ledger.path, PROJECTIONS) as seen:
        shown = {}
        for name, table in exportable_tables().items():
            ledger.live()
            shown[name] = [row for batch in seen.batches(table, 3) for row in batch]

    assert seen.position == position < ledger.log.last_position()
    for name, rows in before.items():
        assert sorted(map(repr, shown[name])) == sorted(repr(tuple(row)) for row in rows)


def test_export_while_events_come_shows_the_log_up_to_its_position(
    ledger: Ledger, tmp_path: Path
) -> None:
    stop = Event()

    def go_on() -> None:
        while not stop.is_set():
            ledger.live()

    others = Thread(target=go_on)
    others.start()
    try:
        files = export_tables(ledger.path, tmp_path / "out", ExportFormat.JSONL)
    finally:
        stop.set()
        others.join()

    (position,) = {file.position for file in files}
    assert position < ledger.log.last_position()
    until = MemoryEventStore()
    for recorded in events_of(ledger.log.read_log(0, position)):
        until.append([recorded])
    with closing(open_projections(tmp_path / "until.db", until)) as projector:
        assert projector.catch_up() == position
        again = export_tables(tmp_path / "until.db", tmp_path / "again", ExportFormat.JSONL)
    assert contents(files) == contents(again)


def test_rows_come_in_batches_of_no_more_than_was_asked(ledger: Ledger) -> None:
    add_chunks(ledger.path, 25)
    (rows,) = ledger.projector.rows("SELECT count(*) AS n FROM chunks")

    with snapshot(ledger.path, PROJECTIONS) as seen:
        sizes = [len(batch) for batch in seen.batches(exportable_tables()["chunks"], 10)]

    assert sum(sizes) == rows["n"]
    assert set(sizes[:-1]) == {10}
    assert 0 < sizes[-1] <= 10


def test_parquet_has_a_row_group_for_each_batch(ledger: Ledger, tmp_path: Path) -> None:
    add_chunks(ledger.path, 2 * BATCH)

    (file,) = export_tables(ledger.path, tmp_path, ExportFormat.PARQUET, ["chunks"])

    told = pyarrow.parquet.ParquetFile(file.path).metadata
    groups = [told.row_group(number).num_rows for number in range(told.num_row_groups)]
    assert groups == [BATCH, BATCH, file.rows - 2 * BATCH]
    assert told.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("form", ExportFormat)
def test_more_rows_take_no_more_memory(ledger: Ledger, tmp_path: Path, form: ExportFormat) -> None:
    def peak_bytes() -> int:
        tracemalloc.start()
        export_tables(ledger.path, tmp_path, form, ["chunks"])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    add_chunks(ledger.path, 2 * BATCH)
    few = peak_bytes()
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        connection.execute("DELETE FROM chunks")
    add_chunks(ledger.path, 8 * BATCH)

    assert peak_bytes() < 1.2 * few


def test_export_that_fails_at_its_last_table_changes_no_file(
    ledger: Ledger, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = contents(export_tables(ledger.path, out, ExportFormat.CSV))
    ledger.live()
    *_, last = exportable_tables()
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute(f"DROP TABLE {last}")

    with pytest.raises(StorageBackendError, match=f"no such table: {last}"):
        export_tables(ledger.path, out, ExportFormat.CSV)

    assert {path.stem: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ("version=99", ProjectionNewerError, "'sagas' has version 99"),
        ("version=0", StorageBackendError, "bring them up to date first"),
        ("position=0", StorageBackendError, "bring them up to date first"),
    ],
)
def test_read_models_of_several_positions_or_versions_are_refused(
    ledger: Ledger, tmp_path: Path, change: str, error: type[Exception], told: str
) -> None:
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        connection.execute(f"UPDATE progress SET {change} WHERE name='sagas'")

    with pytest.raises(error, match=told):
        export_tables(ledger.path, tmp_path / "out", ExportFormat.CSV)

    assert list((tmp_path / "out").iterdir()) == []


def test_table_named_twice_is_written_once(ledger: Ledger, tmp_path: Path) -> None:
    files = export_tables(ledger.path, tmp_path / "out", ExportFormat.CSV, ["sagas", "sagas"])

    assert [file.path.name for file in files] == ["sagas.csv"]
    with pytest.raises(KeyError):
        export_tables(ledger.path, tmp_path / "out", ExportFormat.CSV, ["nothing"])
