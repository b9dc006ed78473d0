"""What operators see: sagas, statistics, what is going on, what a rollback would do."""

from __future__ import annotations

import json
import logging
import os
import pty
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sagaledger import JsonLogFormatter
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.runs import events_of as flattened
from sagaledger.domain.saga.events import RetryScheduled
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import ChunksDeleted
from sagaledger.interface.library.ledger import Ledger, open_ledger
from sagaledger.projections import GroupKey

from tests.support.commands import COMMAND, environment, json_of, refusal_of, run
from tests.support.faults import Fault, break_port
from tests.support.ledgers import CHUNK, QUICK, events_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two documents, one of them deleted, a clean rollback, a retry, and a saga that is paused."""
    folder = tmp_path_factory.mktemp("overview")
    data = folder / "data"
    with open_ledger(data, QUICK) as ledger:
        busy = StorageBackendError("graph", "upsert", "busy")
        graph = ledger.services.graph
        break_port(ledger, "graph", upsert=Fault(busy, times=2))
        ledger.ingest(written(folder / "kept.txt"))
        ledger.services.graph = graph
        doomed = ledger.ingest(written(folder / "doomed.txt")).document
        assert doomed is not None
        ledger.delete(doomed)
        vectors = ledger.services.vectors
        refused = StorageBackendError("vector", "upsert", "no")
        break_port(ledger, "vectors", upsert=Fault(refused))
        ledger.ingest(written(folder / "undone.txt"))
        ledger.services.vectors = vectors
        source = written(folder / "paused.txt")

        def pause_it() -> None:
            (saga,) = ledger.directory.open_sagas()
            ledger.control.pause(saga.saga_id, "ann")

        break_port(ledger, "vectors", upsert=Fault(refused, times=1, also=pause_it))
        ledger.ingest(source)
    return data


def written(path: Path) -> Path:
    path.write_text(f"{path.name} tells of herons\n" + "words and more words\n" * (3 * CHUNK // 21))
    return path


def query(data: Path, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json_of(run(data, "query", sql, "--json"))
    return rows


def test_sagas_are_listed_newest_first_and_by_where_they_stand(data: Path) -> None:
    every = json_of(run(data, "sagas", "--json"))
    undone = json_of(run(data, "sagas", "--status", "compensated", "--json"))
    at_work = json_of(run(data, "sagas", "--open", "--json"))

    assert [saga["status"] for saga in every] == [
        "running",
        "compensated",
        "completed",
        "completed",
        "completed",
    ]
    assert [Path(saga["source"]).name for saga in undone] == ["undone.txt"]
    assert [(Path(s["source"]).name, s["paused"], s["attempt"]) for s in at_work] == [
        ("paused.txt", True, 1)
    ]
    assert run(data, "sagas", "--limit", "2").stdout.count("\n") == 3
    assert "(paused)" in run(data, "sagas", "--open").stdout
    assert "--status" in refusal_of(run(data, "sagas", "--open", "--status", "failed"), 2)


def test_statistics_agree_with_a_count_over_the_events(data: Path) -> None:
    told = json_of(run(data, "stats", "--json"))
    with open_ledger(data) as ledger:
        retries = len(events_of(ledger, RetryScheduled))
        undone = ledger.monitor.rolled_back()[0].saga_id
        (row,) = ledger.projector.rows("SELECT upload_id FROM sagas WHERE saga_id=?", (undone.hex,))
        rolled_back = [
            recorded.event.size_bytes
            for recorded in flattened(ledger.log.read_log(0, 10_000))
            if isinstance(recorded.event, ChunksDeleted)
            and recorded.originator_id.hex == row["upload_id"]
        ]

    total = told["total"]
    assert (total["sagas"], total["completed"], total["rolled_back"], total["open"]) == (5, 3, 1, 1)
    assert total["retries"] == retries == 5
    assert total["retries_to_success"] == 2.0
    assert total["removed_bytes"] == sum(rolled_back) > 0, "a deletion is no rollback"
    assert told["rollback_success_rate"] == 1.0
    assert total["by_step"] == {"vector": 1}
    assert total["by_reason"] == {"max_retries_exceeded": 1}
    by_kind = {group["key"]: group["sagas"] for group in told["by_definition"]}
    assert by_kind == {"streaming-upload": 4, "delete-document": 1}
    (by_reason,) = told["by_reason"]
    assert by_reason["p50_us"] == by_reason["p99_us"] == by_reason["longest_us"] > 0
    assert sum(group["sagas"] for group in told["by_day"]) == 5


def test_statistics_have_a_bar_per_day_in_letters_that_the_output_knows(data: Path) -> None:
    drawn = run(data, "stats").stdout
    plain = run(data, "stats", env=environment(PYTHONIOENCODING="ascii")).stdout

    assert drawn.startswith("5 sagas: 3 completed, 1 rolled back, ")
    assert "█" in drawn
    assert "█" not in plain
    assert "# completed" in plain
    assert run(data, "stats", "--days", "0").returncode == 2


def test_percentiles_are_exact_by_nearest_rank(ledger: Ledger) -> None:
    rows = [(f"{n:032x}", n * 1000) for n in range(1, 201)]
    ledger.projector.catch_up()
    with ledger.projector._transaction() as connection:
        connection.executemany(
            "INSERT INTO rollbacks (saga_id, definition, started_us, outcome, reason, step, "
            "rollback_us, ended_us) VALUES (?,'any',0,'compensated','r','-',5,5+?)",
            rows,
        )

    (group,) = ledger.monitor.statistics_by(GroupKey.REASON)

    assert (group.p50_us, group.p90_us, group.p99_us) == (100_000, 180_000, 198_000)
    assert (group.longest_us, group.success_rate) == (200_000, 1.0)


def test_top_shows_each_saga_at_work_and_how_far_its_upload_is(data: Path) -> None:
    told = json_of(run(data, "top", "--json"))
    seen = run(data, "top").stdout

    assert told["overview"]["open"] == 1
    (saga,) = told["sagas"]
    assert (saga["chunks_written"], saga["chunk_count"], saga["step"]) == (4, 4, "vector")
    assert saga["stored_bytes"] == saga["size_bytes"] > 3 * CHUNK
    assert seen.startswith("1 open, 3 completed, 1 rolled back, ")
    assert "paused.txt" in seen


def test_top_on_a_terminal_draws_itself_until_it_is_interrupted(data: Path) -> None:
    terminal, its_end = pty.openpty()
    command = [str(COMMAND), "--data", str(data), "top", "--every", "0.1"]
    with subprocess.Popen(command, stdout=its_end, stderr=its_end, env=environment()) as shown:
        os.close(its_end)
        drawn = b""
        while drawn.count(b"paused.txt") < 3:
            drawn += os.read(terminal, 10_000)
        shown.send_signal(signal.SIGINT)
        with suppress(OSError):
            # Reading ends with an error once the terminal has nobody at its other end.
            while os.read(terminal, 10_000):
                pass
        assert shown.wait(30) == 0
    os.close(terminal)
    assert b"Traceback" not in drawn


def test_plan_says_what_a_rollback_finds_in_each_store_and_changes_nothing(data: Path) -> None:
    (saga,) = json_of(run(data, "sagas", "--open", "--json"))
    before = json_of(run(data, "project", "--json"))

    told = json_of(run(data, "plan", saga["saga_id"], "--json"))
    shown = run(data, "plan", saga["saga_id"][:8]).stdout

    assert [undo["step"] for undo in told] == [
        "vector",
        "secure",
        "verify",
        "upload",
        "start",
        "validate",
    ]
    there = {undo["step"]: sum(r["count"] for r in undo["found"]) for undo in told}
    assert (there["upload"], there["secure"]) == (4, 1)
    assert {undo["step"] for undo in told if not undo["has_undo"]} == {"verify", "validate"}
    assert "4 in chunks" in shown
    assert shown.endswith("`sagaledger rollback` does it; nothing was changed\n")
    assert json_of(run(data, "project", "--json")) == before


def test_plan_of_what_cannot_be_rolled_back_is_refused(data: Path) -> None:
    every = json_of(run(data, "sagas", "--json"))
    refused = {
        saga["status"]: refusal_of(run(data, "plan", saga["saga_id"]), 8)
        for saga in every
        if saga["status"] != "running"
    }

    assert "has decided to commit" in refused["completed"]
    assert "is rolled back already" in refused["compensated"]
    assert refusal_of(run(data, "plan", "ffff"), 3).startswith("error: no saga with id 'ffff'")


def test_documents_table_follows_each_document_to_its_end(data: Path) -> None:
    rows = {row["source_name"]: row for row in query(data, "SELECT * FROM documents")}

    states = {name: row["state"] for name, row in rows.items()}
    assert states == {
        "kept.txt": "committed",
        "doomed.txt": "deleted",
        "undone.txt": "rolled_back",
        "paused.txt": "pending",
    }
    kept = rows["kept.txt"]
    assert (kept["classification"], kept["namespace"]) == ("internal", "default")
    assert (len(kept["sha256"]), len(kept["signer"])) == (64, 16)
    assert (kept["media_type"], kept["embedder"]) == ("text/plain", "hashing-mmh3-v1")
    assert kept["passages"] > 0
    assert kept["started_us"] <= kept["secured_us"] <= kept["committed_us"]
    assert (kept["ended_us"], rows["undone.txt"]["committed_us"]) == (0, 0)
    deletion = query(data, "SELECT saga_id FROM sagas WHERE definition='delete-document'")
    assert rows["doomed.txt"]["deletion_saga_id"] == deletion[0]["saga_id"]
    assert rows["doomed.txt"]["ended_us"] >= rows["doomed.txt"]["committed_us"] > 0


def test_rates_of_uploads_are_their_sizes_over_their_times(data: Path) -> None:
    rates = query(
        data,
        "SELECT upload_rates.*, started_us, sent_us "
        "FROM upload_rates JOIN uploads USING (upload_id)",
    )

    assert len(rates) == 4
    for rate in rates:
        assert rate["sending_us"] == rate["sent_us"] - rate["started_us"] > 0
        assert rate["stored_bytes"] == rate["size_bytes"]
        taken_s = rate["sending_us"] / 1e6
        assert rate["bytes_per_s"] == pytest.approx(rate["size_bytes"] / taken_s)


def test_every_event_is_a_line_of_json_with_the_saga_and_the_upload_that_it_is_about(
    tmp_path: Path,
) -> None:
    written(tmp_path / "words.txt")
    log = tmp_path / "events.jsonl"

    done = run(tmp_path / "data", "--log", log, "ingest", tmp_path / "words.txt")

    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [line for line in lines if "event" in line]
    with open_ledger(tmp_path / "data") as ledger:
        recorded = [*flattened(ledger.log.read_log(0, 10_000))]
    assert [line["event"] for line in told] == [type(item.event).__name__ for item in recorded]
    assert len({line["saga_id"] for line in told}) == 1
    chunk = next(line for line in told if line["event"] == "ChunkWritten")
    assert (chunk["fields"]["index"], chunk["upload_id"]) == (0, chunk["stream"])
    assert (chunk["level"], chunk["logger"]) == ("info", "sagaledger.events")
    assert chunk["time"].endswith("Z")


def test_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "--log", tmp_path / "none" / "log", "ingest", "x")

    assert f"cannot write {tmp_path / 'none' / 'log'}: " in refusal_of(done, 11)


def test_program_of_a_user_gets_the_ids_in_its_own_log(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "bytes.bin"
    source.write_bytes(os.urandom(100))
    with caplog.at_level(logging.INFO, "sagaledger"):
        saga = ledger.ingest(source).saga

    assert saga is not None
    assert saga.status is SagaStatus.COMPLETED
    told = [record for record in caplog.records if record.name == "sagaledger.events"]
    assert {getattr(record, "saga_id", None) for record in told} == {saga.saga_id.hex}
    line = json.loads(JsonLogFormatter().format(told[0]))
    assert (line["event"], line["saga_id"]) == ("SagaStarted", saga.saga_id.hex)
