"""An export holds what the tables hold, for programs that know nothing of us."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from sagaledger.interface.library.ledger import open_ledger
from sagaledger.projections import exportable_tables

from tests.support.commands import (
    bound_by_permissions,
    environment,
    json_of,
    refusal_of,
    run,
    small_disk,
)
from tests.support.faults import FaultyChunks
from tests.support.ledgers import CHUNK, QUICK

NAME = 'a\rname, "kept"\n.txt'
PAGE = Path(__file__).parents[2] / "docs" / "analysis.md"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document, and a rollback that left a chunk."""
    folder = tmp_path_factory.mktemp("export")
    (folder / NAME).write_text("words in a file with an odd name\n" * 5000)
    (folder / "undone.txt").write_text("words that go\n" * (5 * CHUNK // 14))
    with open_ledger(folder / "data", QUICK) as ledger:
        ledger.ingest(folder / NAME)
        faulty = FaultyChunks(folder / "data" / "chunks")
        faulty.fail_creates, faulty.fail_deletes = set(range(3, 100)), {0}
        ledger.services.chunks = faulty
        ledger.ingest(folder / "undone.txt")
    return folder / "data"


def rows_of(data: Path, table: str) -> list[dict[str, Any]]:
    """The table as the query command gives it."""
    rows: list[dict[str, Any]] = json_of(run(data, "query", f"SELECT * FROM {table}", "--json"))
    return sorted(rows, key=repr)


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("form", "read"), [("parquet", parquet_rows), ("jsonl", json_rows)])
def test_export_holds_every_table_and_view_as_it_is(
    data: Path, tmp_path: Path, form: str, read: Any
) -> None:
    told = json_of(run(data, "export", "--format", form, "-o", tmp_path / "out", "--json"))

    assert [file["table"] for file in told] == list(exportable_tables())
    assert len({file["position"] for file in told}) == 1
    for file in told:
        rows = read(Path(file["path"]))
        assert sorted(rows, key=repr) == rows_of(data, file["table"])
        assert len(rows) == file["rows"]
        assert Path(file["path"]).stat().st_size == file["size_bytes"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{name}.{form}" for name in exportable_tables()
    }


def test_export_as_csv_holds_every_table_and_view_as_text(data: Path, tmp_path: Path) -> None:
    told = json_of(run(data, "export", "--format", "csv", "-o", tmp_path, "--json"))

    assert [file["table"] for file in told] == list(exportable_tables())
    for file in told:
        rows = csv_rows(Path(file["path"]))
        expected = [
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in rows_of(data, file["table"])
        ]
        assert sorted(rows, key=repr) == sorted(expected, key=repr)
        assert len(rows) == file["rows"]
    assert NAME in {row["source_name"] for row in csv_rows(tmp_path / "uploads.csv")}


def test_parquet_says_what_each_column_means(data: Path, tmp_path: Path) -> None:
    run(data, "export", "--format", "parquet", "--table", "chunks", "-o", tmp_path)

    schema = pyarrow.parquet.read_schema(tmp_path / "chunks.parquet")

    about = {c.name: c.about for c in exportable_tables()["chunks"].columns}
    told = {f.name: f.metadata[b"description"].decode() for f in schema}
    assert told == about
    (log,) = json_of(run(data, "query", "SELECT max(position) AS last FROM progress", "--json"))
    assert schema.metadata[b"sagaledger.position"].decode() == str(log["last"])
    assert str(schema.field("stored_bytes").type) == "int64"


def test_files_that_are_there_are_replaced_only_on_demand(data: Path, tmp_path: Path) -> None:
    there = tmp_path / "steps.csv"
    there.write_text("mine")
    again = ("export", "--format", "csv", "--table", "sagas", "--table", "steps", "-o", tmp_path)

    line = refusal_of(run(data, *again), 11)

    assert line == f"error: cannot write {there}: it exists; --force replaces it"
    assert [path.name for path in tmp_path.iterdir()] == ["steps.csv"], "nothing was written"
    assert there.read_text() == "mine"
    assert run(data, *again, "--force").returncode == 0
    assert there.read_text().startswith("saga_id,step,")


def test_name_of_no_table_and_folder_that_is_none_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    csv_to = ("export", "--format", "csv", "-o")

    unknown = refusal_of(run(data, *csv_to, tmp_path / "out", "--table", "nothing"), 2)
    unusable = refusal_of(run(data, *csv_to, tmp_path / "file" / "below"), 11)

    assert "no table 'nothing'; there are alert_rules, alerts, chunks, " in unknown
    assert unusable == f"error: cannot write {tmp_path / 'file' / 'below'}: Not a directory"
    told = refusal_of(run(data, *csv_to, tmp_path / "file"), 11)
    assert told == f"error: cannot write {tmp_path / 'file'}: it is not a folder"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_no_regular_file_is_left_alone(data: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sagas.csv")
    (tmp_path / "steps.csv").symlink_to("nothing")
    csv_to = ("export", "--format", "csv", "-o", tmp_path)

    pipe = refusal_of(run(data, *csv_to, "--table", "sagas", "--force"), 11)
    link = refusal_of(run(data, *csv_to, "--table", "steps"), 11)

    assert pipe == f"error: cannot write {tmp_path / 'sagas.csv'}: it is not a regular file"
    assert link == f"error: cannot write {tmp_path / 'steps.csv'}: it exists; --force replaces it"
    assert (tmp_path / "sagas.csv").is_fifo()
    assert (tmp_path / "steps.csv").is_symlink()


def test_folder_that_may_not_be_written_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)

    done = run(
        data,
        *("export", "--format", "csv", "-o", tmp_path / "closed"),
        before=bound_by_permissions(),
    )

    told = refusal_of(done, 11)
    assert told == f"error: cannot write {tmp_path / 'closed'}: Permission denied"


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_full_disk_leaves_the_files_that_were_there(data: Path, tmp_path: Path, form: str) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        to = ("export", "--format", form, "-o", disk / "out", "--force")
        assert run(data, *to).returncode == 0
        before = {path.name: path.stat().st_ino for path in (disk / "out").iterdir()}
        with suppress(OSError), (disk / "other").open("wb", buffering=0) as other:
            # Room for the first files, and not for all.
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
            other.write(bytes(room - 5 * 4096))

        told = refusal_of(run(data, *to), 11)

        assert {path.name: path.stat().st_ino for path in (disk / "out").iterdir()} == before
    assert told.startswith(f"error: cannot write {disk / 'out'}: ")
    assert "No space left on device" in told


def test_parquet_without_its_extra_is_refused_with_what_to_install(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "pyarrow.py").write_text("raise ImportError('not here')")
    hidden = environment(PYTHONPATH=str(tmp_path / "hidden"))

    done = run(data, "export", "--format", "parquet", "-o", tmp_path / "out", env=hidden)

    expected = "error: parquet cannot be written: pip install 'sagaledger[export]'"
    assert refusal_of(done, 2) == expected
    assert not (tmp_path / "out").exists()


def test_page_for_analysts_runs_as_it_stands(data: Path, tmp_path: Path) -> None:
    run(data, "export", "--format", "parquet", "-o", tmp_path / "export")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 6

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(),
    )

    assert (done.returncode, done.stderr) == (0, "")
    for told in ("half_ms", "p99_s", "internal", "source_name", "oldest", "mib_per_s"):
        assert told in done.stdout
