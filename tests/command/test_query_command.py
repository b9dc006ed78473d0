"""`sagaledger query`: what analysts ask, and what they cannot do."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest

from tests.support.commands import json_of, refusal_of, run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("one, two.txt", "three.txt"):
        (tmp_path / name).write_text(f"words of {name}")
    assert run(folder, "ingest", tmp_path / "one, two.txt", tmp_path / "three.txt").returncode == 0
    return folder


NAMES = "SELECT source_name, size_bytes, verified_us > 0 AS verified FROM uploads ORDER BY 1"


def test_select_is_answered_as_a_table_as_json_and_as_csv(data: Path) -> None:
    table = run(data, "query", NAMES).stdout.splitlines()
    objects = json_of(run(data, "query", "--json", NAMES))
    lines = list(csv.reader(io.StringIO(run(data, "query", "--csv", NAMES).stdout)))

    assert table[0].split() == ["source_name", "size_bytes", "verified"]
    assert [line.split()[-2:] for line in table[1:]] == [["21", "1"], ["18", "1"]]
    assert objects == [
        {"source_name": "one, two.txt", "size_bytes": 21, "verified": 1},
        {"source_name": "three.txt", "size_bytes": 18, "verified": 1},
    ]
    assert lines == [
        ["source_name", "size_bytes", "verified"],
        ["one, two.txt", "21", "1"],
        ["three.txt", "18", "1"],
    ]


def test_rows_join_across_projections(data: Path) -> None:
    (row,) = json_of(
        run(
            data,
            "query",
            "--json",
            "SELECT s.status, count(DISTINCT st.step) AS steps, u.sha256, c.stored_bytes "
            "FROM sagas s JOIN steps st USING (saga_id) JOIN uploads u USING (saga_id) "
            "JOIN chunks c USING (upload_id) WHERE u.source_name='three.txt'",
        )
    )

    sha256 = hashlib.sha256(b"words of three.txt").hexdigest()
    assert row == {"status": "completed", "steps": 9, "sha256": sha256, "stored_bytes": 18}


def test_nothing_found_is_said(data: Path) -> None:
    assert run(data, "query", "SELECT * FROM orphans").stdout == "no rows\n"
    assert json_of(run(data, "query", "--json", "SELECT * FROM orphans")) == []
    assert run(data, "query", "--csv", "SELECT saga_id FROM orphans").stdout == "saga_id\n"


def test_csv_keeps_line_ends_within_a_value(data: Path) -> None:
    done = run(data, "query", "--csv", "SELECT 'a' || char(13) || 'b' AS x, 'c' || char(10) AS y")

    # Text of the process comes with its line ends made one; what is quoted is the value.
    assert done.stdout == 'x,y\n"a\nb","c\n"\n'


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sagas",
        "UPDATE sagas SET status='x' RETURNING status",
        "DROP TABLE sagas",
        "CREATE TABLE more (x)",
        "ATTACH 'other.db' AS other",
        "PRAGMA journal_mode=DELETE",
        "SELECT 1; DELETE FROM sagas",
        "SELECT load_extension('x')",
        "SELECT * FROM nothing",
        "SELECT",
        "",
        "words",
    ],
)
def test_anything_but_a_select_is_refused_and_changes_nothing(data: Path, sql: str) -> None:
    everything = "SELECT * FROM sagas"
    before = json_of(run(data, "query", "--json", everything))

    told = refusal_of(run(data, "query", sql, cwd=data.parent), 2)

    assert told.startswith("error: the query cannot be answered: ")
    assert json_of(run(data, "query", "--json", everything)) == before
    assert not (data.parent / "other.db").exists()


def test_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refusal_of(run(tmp_path / "none", "query", "SELECT 1"), 6)

    assert not (tmp_path / "none").exists()
