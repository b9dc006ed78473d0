"""kill -9 in the middle of each of the nine steps, then recovery in a new process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sagaledger.application.engine.saga_repository import find_saga
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.interface.cli.commands.saga_commands import brought_to_end
from sagaledger.interface.library.ledger import open_ledger

from tests.support.documents import pdf_bytes
from tests.support.ledgers import CHUNK, QUICK, what_is_left

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("sagaledger")

# The third time a file is opened is by the step: before, for equal content and for other readers.
MOMENTS = [
    ("validate", "source", "open", 3, "after"),
    ("start", "chunks", "open_prefix", 1, "after"),
    ("upload", "chunks", "create", 4, "after"),
    ("upload, chunks durable but not recorded", "chunks", "flush", 1, "after"),
    ("verify", "chunks", "open", 4, "after"),
    ("secure", "manifests", "put", 1, "after"),
    ("vector", "vectors", "upsert", 1, "after"),
    ("graph", "graph", "upsert", 1, "after"),
    ("relational", "relational", "upsert", 1, "after"),
    ("finalize, decided but not visible", "relational", "commit", 1, "before"),
    ("finalize, visible but not recorded", "relational", "commit", 1, "after"),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.pdf"
    pages = [f"page {number} " + os.urandom(40).hex() for number in range(200)]
    path.write_bytes(pdf_bytes(pages))
    return path


def run(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "--data", data, *command], capture_output=True, text=True, timeout=120
    )


def run_killed(data: Path, port: str, method: str, number: int, when: str, *command: str) -> int:
    killed = subprocess.run(
        [
            *(sys.executable, "-m", "tests.support.signalled_command", "SIGKILL"),
            *(port, method, str(number), when),
            *("--data", str(data), *command),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
    )
    return killed.returncode


def read_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("moment", MOMENTS, ids=[moment[0] for moment in MOMENTS])
def test_process_killed_in_a_step_recovers_to_a_committed_document(
    tmp_path: Path, source: Path, moment: tuple[str, str, str, int, str]
) -> None:
    data = tmp_path / "data"
    _, port, method, number, when = moment
    ingest = ("ingest", str(source), "--chunk-size", str(CHUNK // 16))
    assert run_killed(data, port, method, number, when, *ingest) == -signal.SIGKILL

    recovered = read_json(run(data, "recover", "--json"))

    assert [saga["status"] for saga in recovered["finished"]] == ["completed"]
    assert read_json(run(data, "orphans", "--json")) == []
    (document,) = read_json(run(data, "list", "--json"))
    restored = tmp_path / "restored.pdf"
    assert run(data, "get", document["document_id"], "-o", str(restored)).returncode == 0
    assert restored.read_bytes() == source.read_bytes()
    with open_ledger(data, QUICK) as ledger:
        assert {name: len(found) for name, found in what_is_left(ledger).items()} == {
            "vector": 1,
            "graph": 1,
            "relational": 1,
            "manifests": 1,
            "chunks": 1,
        }
        saga = find_saga(ledger.log, UUID(document["saga_id"]))
        # A step that a recovery runs again says the same of the document.
        assert saga is not None
        assert document["created_us"] == saga.started_us


@pytest.mark.parametrize("moment", MOMENTS[:-2], ids=[moment[0] for moment in MOMENTS[:-2]])
def test_process_killed_before_the_decision_and_source_gone_recovers_to_nothing(
    tmp_path: Path, source: Path, moment: tuple[str, str, str, int, str]
) -> None:
    data = tmp_path / "data"
    _, port, method, number, when = moment
    ingest = ("ingest", str(source), "--chunk-size", str(CHUNK // 16))
    assert run_killed(data, port, method, number, when, *ingest) == -signal.SIGKILL
    (saga,) = read_json(run(data, "list", "--all", "--json"))

    rolled_back = read_json(run(data, "rollback", saga["saga_id"], "--json"))

    assert rolled_back["status"] == "compensated"
    assert read_json(run(data, "orphans", "--json")) == []
    with open_ledger(data, QUICK) as ledger:
        assert what_is_left(ledger) == {}


def test_deletion_killed_halfway_is_finished_by_recovery(tmp_path: Path, source: Path) -> None:
    data = tmp_path / "data"
    assert run(data, "ingest", str(source)).returncode == 0
    (document,) = read_json(run(data, "list", "--json"))
    killed = run_killed(data, "graph", "delete", 1, "after", "delete", document["document_id"])
    assert killed == -signal.SIGKILL
    assert read_json(run(data, "list", "--json")) == []

    recovered = read_json(run(data, "recover", "--json"))

    assert [saga["status"] for saga in recovered["finished"]] == ["completed"]
    with open_ledger(data, QUICK) as ledger:
        assert what_is_left(ledger) == {}


def wait_for_saga(data: Path, step: str) -> str:
    for _ in range(300):
        if (data / "projections.db").exists():
            sagas = read_json(run(data, "list", "--all", "--json"))
            if sagas and sagas[0]["step"] == step:
                return str(sagas[0]["saga_id"])
        time.sleep(0.05)
    raise AssertionError(f"no saga came to step {step}")


@pytest.fixture
def slow_ingest(tmp_path: Path) -> Any:
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(64 * 1024 * 1024))
    process = subprocess.Popen(
        [COMMAND, "--data", tmp_path / "data", "ingest", big, "--chunk-size", "16384"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_running_saga_cancelled_from_another_process_rolls_back(
    tmp_path: Path, slow_ingest: subprocess.Popen[bytes]
) -> None:
    data = tmp_path / "data"
    saga_id = wait_for_saga(data, "upload")

    cancelled = read_json(run(data, "cancel", saga_id, "--json"))

    assert (cancelled["status"], cancelled["reason"]) == ("compensated", "cancelled")
    assert slow_ingest.wait(60) == 4
    with open_ledger(data, QUICK) as ledger:
        assert what_is_left(ledger) == {}


def test_saga_that_its_owner_rolls_back_first_is_cancelled_all_the_same(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(1000))
    with open_ledger(tmp_path / "data", QUICK) as ledger:
        ledger.stop()
        begun = ledger.ingest(large).saga
        assert begun is not None
        ledger.orchestrator.stopping.clear()
        ledger.control.cancel(begun.saga_id, "ada", "not wanted")
        drive = ledger.drive

        def too_late(saga_id: UUID) -> SagaExecutionResult:
            drive(saga_id)
            return drive(saga_id)

        ledger.drive = too_late  # type: ignore[assignment, method-assign]  # Its owner is faster.

        ended = brought_to_end(ledger, begun.saga_id)

        assert (ended.status, ended.reason) == ("compensated", "cancelled")
        assert what_is_left(ledger) == {}


def test_running_saga_paused_from_another_process_is_resumed_where_it_was(
    tmp_path: Path, slow_ingest: subprocess.Popen[bytes]
) -> None:
    data = tmp_path / "data"
    saga_id = wait_for_saga(data, "upload")

    assert run(data, "pause", saga_id).returncode == 0
    assert slow_ingest.wait(60) == 9
    assert read_json(run(data, "recover", "--json"))["paused"] == [saga_id]
    resumed = read_json(run(data, "resume", saga_id, "--json"))

    assert resumed["status"] == "completed"
    (shown,) = read_json(run(data, "show", saga_id, "--json"))
    kinds = [event["type"] for event in shown["events"]]
    assert kinds.count("ChunkWritten") == 4096
    assert kinds.count("UploadResumed") == 1


def test_command_interrupted_stops_and_recovery_goes_on(
    tmp_path: Path, slow_ingest: subprocess.Popen[bytes]
) -> None:
    data = tmp_path / "data"
    wait_for_saga(data, "upload")

    slow_ingest.send_signal(signal.SIGINT)
    assert slow_ingest.wait(60) == 130
    recovered = read_json(run(data, "recover", "--json"))

    assert [saga["status"] for saga in recovered["finished"]] == ["completed"]
