"""Two real processes on one data folder: one outcome for each saga, and nothing untracked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.saga.events import SagaClaimed, SagaCompleted, SagaStarted, StepFailed
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.events import ChunkWritten, UploadCompleted, UploadInterrupted
from sagaledger.infrastructure.chunk_stores import MemoryChunkStore
from sagaledger.interface.library.ledger import open_ledger

from tests.support.examination import settled_findings
from tests.support.ledgers import QUICK, all_events, events_of, what_is_left
from tests.support.memory_ledgers import memory_ledger

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("sagaledger")
LEASE_S = 1.0
MOMENTS = [
    ("chunks", "create", 3, "before"),
    ("chunks", "create", 3, "after"),
    ("chunks", "flush", 1, "before"),
    ("chunks", "flush", 1, "after"),
    ("chunks", "open", 2, "after"),
    ("manifests", "put", 1, "before"),
    ("vectors", "upsert", 1, "before"),
    ("graph", "upsert", 1, "before"),
    ("relational", "upsert", 1, "before"),
    ("relational", "upsert", 1, "after"),
    ("relational", "commit", 1, "before"),
    ("relational", "commit", 1, "after"),
]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("words to be found again " * 400)
    return path


def ingest(text: Path) -> tuple[str, ...]:
    return ("ingest", "--chunk-size", "2048", "--again", str(text))


def run(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "--data", data, *command], capture_output=True, text=True, timeout=120
    )


def assert_nothing_is_wrong(data: Path) -> None:
    assert run(data, "recover").returncode == 0
    assert run(data, "sweep").returncode == 0
    with open_ledger(data, QUICK) as ledger:
        assert settled_findings(ledger.services) == []


@pytest.mark.parametrize("moment", MOMENTS, ids=["-".join(map(str, m)) for m in MOMENTS])
@pytest.mark.parametrize("taken_over_by", ["recover", "rollback"])
def test_worker_stopped_past_its_lease_notices_the_other_and_leaves_nothing_untracked(
    tmp_path: Path, text: Path, moment: tuple[str, str, int, str], taken_over_by: str
) -> None:
    data = tmp_path / "data"
    port, method, number, when = moment
    stopped = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.signalled_command"),
            *("SIGSTOP", port, method, str(number), when, "--data", str(data), *ingest(text)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.waitpid(stopped.pid, os.WUNTRACED)
    time.sleep(LEASE_S * 1.2)
    with open_ledger(data, QUICK) as ledger:
        (saga,) = ledger.directory.open_sagas()
    if taken_over_by == "rollback" and not saga.decided:
        taken_over = run(data, "rollback", saga.saga_id.hex)
    else:
        taken_over = run(data, "recover")
    assert taken_over.returncode == 0

    stopped.send_signal(signal.SIGCONT)
    _, told = stopped.communicate(timeout=60)

    # Nothing it can do changes the outcome; it says so, or finds its last call repeated in vain.
    assert "Traceback" not in told
    with open_ledger(data, QUICK) as ledger:
        assert len(events_of(ledger, SagaClaimed)) == 2
    assert_nothing_is_wrong(data)


def fight(data: Path, text: Path, seconds: float) -> None:
    """Four processes ingest the same file and recover each other's sagas, while some are killed."""
    until_s = time.monotonic() + seconds
    # On a slow machine the first round may take all the time.
    for number in count():
        if number >= 2 and time.monotonic() >= until_s:
            break
        signals = [("SIGKILL", "relational", "upsert"), ("SIGSTOP", "vectors", "upsert")]
        doomed = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.support.signalled_command"),
                    *(name, port, method, "1", "after", "--data", str(data), *ingest(text)),
                ],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, port, method in signals
        ]
        healthy = [
            subprocess.Popen(
                [COMMAND, "--data", data, *command],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for command in (ingest(text), ("recover",))
        ]
        for process in healthy:
            process.wait(timeout=120)
        time.sleep(LEASE_S)
        run(data, "recover")
        for process in doomed:
            process.send_signal(signal.SIGCONT)
            process.wait(timeout=120)


def assert_one_outcome_each(data: Path) -> None:
    assert_nothing_is_wrong(data)
    with open_ledger(data, QUICK) as ledger:
        assert ledger.log.last_position() == len(all_events(ledger))
        started, completed = events_of(ledger, SagaStarted), events_of(ledger, SagaCompleted)
        assert len(started) >= 3
        assert len(completed) == len(started)


def test_workers_that_fight_over_sagas_give_each_one_outcome(tmp_path: Path, text: Path) -> None:
    fight(tmp_path / "data", text, 8)

    assert_one_outcome_each(tmp_path / "data")


@pytest.mark.long
def test_workers_that_fight_for_minutes_give_each_saga_one_outcome(
    tmp_path: Path, text: Path
) -> None:
    fight(tmp_path / "data", text, 300)

    assert_one_outcome_each(tmp_path / "data")


class _Overtaken(MemoryChunkStore):
    """At the first flush somebody else records something of the same upload."""

    overtake: Callable[[str], object] | None = None

    def flush(self, prefix: str) -> None:
        super().flush(prefix)
        overtake, self.overtake = self.overtake, None
        if overtake:
            overtake(prefix)


def test_upload_that_a_former_owner_moved_on_fails_its_step_and_leaves_nothing(text: Path) -> None:
    chunks = _Overtaken()
    with memory_ledger(chunks) as ledger:

        def overtake(prefix: str) -> None:
            late = UploadInterrupted(1, "LeaseLostError", "", 0)
            ledger.log.append(
                ledger.envelope_factory.envelopes(UUID(prefix.rstrip("/")), 1, 0, [late])
            )

        chunks.overtake = overtake
        saga = ledger.stream(text)

        assert saga.status is SagaStatus.COMPENSATED
        assert [event.step for event in events_of(ledger, StepFailed)] == ["upload"]
        assert events_of(ledger, ChunkWritten) == []
        assert events_of(ledger, UploadCompleted) == []
        assert what_is_left(ledger) == {}
        assert settled_findings(ledger.services) == []
