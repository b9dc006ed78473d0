"""Reports hold what is not right yet: true, whole, and the same from the log alone."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.infrastructure.report_files import write_reports
from sagaledger.interface.library.ledger import Ledger, open_ledger
from sagaledger.projections import REPORT_NAMES, open_projections, reports

from tests.support.commands import run
from tests.support.faults import FaultyChunks
from tests.support.ledgers import QUICK

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.fixture
def failed(ledger: Ledger, chunks: FaultyChunks, source: Path) -> Ledger:
    """A ledger with one saga whose rollback left a chunk."""
    chunks.fail_creates, chunks.fail_deletes = set(range(4, 100)), {0}
    result = ledger.ingest(source)
    assert result.saga is not None
    assert result.saga.status is SagaStatus.COMPENSATION_FAILED
    return ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "reports"


def written(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}


def check(report: Any) -> None:
    """Hold a report against its schema."""
    schema = json.loads((SCHEMAS / f"{report['report']}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    assert report["count"] == len(report["entries"])


def test_failed_rollback_is_in_every_report_as_soon_as_it_has_ended(
    failed: Ledger, folder: Path
) -> None:
    told = written(folder)

    assert set(told) == set(REPORT_NAMES)
    for report in told.values():
        check(report)
        assert report["count"] > 0
    (failure,) = told["rollback_failures"]["entries"]
    assert failure["status"] == "compensation_failed"
    assert [step["step"] for step in failure["steps"]] == ["start", "upload"]
    cleanups = told["failed_cleanups"]["entries"]
    assert {entry["saga_id"] for entry in cleanups} == {failure["saga_id"]}
    assert any("injected" in entry["last_error"] for entry in cleanups)
    (critical,) = told["critical_failures"]["entries"]
    assert critical["rule"] == "rollback_failed"
    assert {e["rule"] for e in told["rollback_alerts"]["entries"]} == {
        "rollback_failed",
        "partial_rollback",
    }


def test_reports_are_empty_again_once_everything_is_swept(
    failed: Ledger, chunks: FaultyChunks, folder: Path
) -> None:
    chunks.fail_deletes = set()
    failed.sweep()
    failed.watch()

    told = written(folder)

    assert {name: report["count"] for name, report in told.items()} == dict.fromkeys(told, 0)
    for report in told.values():
        check(report)


def test_reports_made_anew_from_the_log_are_the_same_to_the_byte(
    failed: Ledger, folder: Path, tmp_path: Path
) -> None:
    with closing(open_projections(None, failed.log)) as anew:
        write_reports(tmp_path / "anew", reports(anew))

    for path in folder.iterdir():
        assert (tmp_path / "anew" / path.name).read_bytes() == path.read_bytes()


def test_deleted_reports_come_back(failed: Ledger, folder: Path) -> None:
    before = written(folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    failed.watch()

    assert written(folder) == before


def test_report_is_replaced_as_a_whole_and_only_where_it_says_something_else(
    failed: Ledger, chunks: FaultyChunks, folder: Path
) -> None:
    inodes = {path.name: path.stat().st_ino for path in folder.iterdir()}
    failed.watch()
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == inodes
    with (folder / "rollback_failures.json").open() as reader:
        chunks.fail_deletes = set()
        failed.sweep()
        failed.watch()

        assert json.load(reader)["count"] == 1, "who reads it reads it to its end"
    assert written(folder)["rollback_failures"]["count"] == 0
    assert {path.suffix for path in folder.iterdir()} == {".json"}


def test_partial_file_of_a_process_that_was_killed_goes_with_the_next_report(
    failed: Ledger, chunks: FaultyChunks, folder: Path
) -> None:
    old, new = folder / ".a.json.1.aa.part", folder / ".a.json.2.bb.part"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    chunks.fail_deletes = set()

    failed.sweep()
    failed.watch()

    assert (old.exists(), new.exists()) == (False, True)


def test_folder_of_reports_that_cannot_be_written_changes_nothing_of_the_work(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with open_ledger(data, QUICK):
        pass
    (data / "reports").write_text("a file where a folder belongs")
    (tmp_path / "words.txt").write_text("words")

    ingested = run(data, "ingest", tmp_path / "words.txt")

    assert (ingested.returncode, ingested.stderr) == (0, "")
