"""A sweep can look without touching, wait, and go on by itself; it never races a late writer."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sagaledger.application.housekeeping.sweep import SweepOptions
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.housekeeping.events import (
    OrphanFound,
    OrphanRemovalFailed,
    OrphanRemoved,
)
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.interface.library.ledger import Ledger, open_ledger

from tests.support.commands import json_of, run, start, wait_until
from tests.support.faults import Fault, break_port
from tests.support.ledgers import QUICK, events_of, what_is_left


class ShiftedClock:
    """The real clock, set ahead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_s = 0.0

    def now_us(self) -> int:
        return self._clock.now_us() + round(self.ahead_s * 1_000_000)

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("words that come late " * 50)
    return path


def rolled_back(ledger: Ledger, text: Path) -> tuple[DocumentOwner, bytes]:
    """The owner of what a rolled back saga had stored, and the manifest it had signed."""
    signed: list[bytes] = []

    def look() -> None:
        (owner,) = ledger.services.manifests.owners()
        signed.append(ledger.services.manifests.get(owner.document_id) or b"")

    counted = StorageBackendError("relational", "count", "injected")
    break_port(ledger, "relational", count=Fault(counted, times=3, also=look))
    saga = ledger.ingest(text).saga
    assert saga is not None
    assert saga.status is SagaStatus.COMPENSATED
    return DocumentOwner(str(saga.outputs["secure"]["document_id"]), saga.saga_id.hex), signed[0]


@pytest.fixture
def late(ledger: Ledger, text: Path) -> str:
    """The id of a rolled back saga's document, whose manifest a late writer has put back."""
    owner, manifest = rolled_back(ledger, text)
    ledger.services.manifests.put(owner, manifest, lambda: None)
    return owner.document_id


def test_dry_run_says_what_a_sweep_removes_and_neither_removes_nor_records_anything(
    ledger: Ledger, late: str
) -> None:
    position = ledger.log.last_position()

    planned = ledger.sweep(SweepOptions(dry_run=True))

    assert [orphan.ref for orphan in planned.planned] == [late]
    assert ledger.log.last_position() == position
    assert what_is_left(ledger) == {"manifests": [late]}
    assert [orphan.ref for orphan in ledger.sweep().removed] == [late]
    assert what_is_left(ledger) == {}


def test_grace_period_begins_when_a_thing_is_found(ledger: Ledger, late: str) -> None:
    clock = ShiftedClock(ledger.services.clock)
    ledger.services.clock = clock
    patient = SweepOptions(grace_s=60)

    assert [orphan.ref for orphan in ledger.sweep(patient).waiting] == [late]
    clock.ahead_s = 59
    assert [orphan.ref for orphan in ledger.sweep(patient).waiting] == [late]
    assert what_is_left(ledger) == {"manifests": [late]}
    clock.ahead_s = 61
    assert [orphan.ref for orphan in ledger.sweep(patient).removed] == [late]

    assert len(events_of(ledger, OrphanFound)) == 1
    assert what_is_left(ledger) == {}


def test_sweep_by_itself_waits_longer_after_each_failure_and_removes_what_it_can_then(
    ledger: Ledger, late: str
) -> None:
    clock = ShiftedClock(ledger.services.clock)
    ledger.services.clock = clock
    bare = ledger.services.manifests
    down = StorageBackendError("manifests", "delete", "injected")
    break_port(ledger, "manifests", delete=Fault(down))
    by_itself = SweepOptions(only_due=True)

    outcomes = []
    for ahead_s in (0, 30, 61, 110, 130, 230):
        clock.ahead_s = ahead_s
        report = ledger.sweep(by_itself)
        outcomes.append("left" if report.left else "waits" if report.waiting else "gone")

    # Failures are recorded by the real clock: the next try is 1, 2 and then 4 minutes later.
    assert outcomes == ["left", "waits", "left", "waits", "left", "waits"]
    failed = events_of(ledger, OrphanRemovalFailed)
    assert [event.ref for event in failed] == [late] * 3
    assert "injected" in failed[0].error
    (orphan,) = ledger.orphans.unresolved()
    assert (orphan.tries, orphan.last_error) == (3, failed[-1].error)
    ledger.services.manifests = bare
    clock.ahead_s = 3600
    ledger.sweep(by_itself)
    assert len(events_of(ledger, OrphanRemoved)) == 1
    assert what_is_left(ledger) == {}


def test_removal_that_nobody_lived_to_record_is_recorded_by_the_next_sweep(
    ledger: Ledger, late: str
) -> None:
    bare = ledger.services.manifests

    gone = Fault(KeyboardInterrupt(), after=True)
    break_port(ledger, "manifests", delete=gone)
    with pytest.raises(KeyboardInterrupt):
        ledger.sweep()
    ledger.services.manifests = bare
    assert what_is_left(ledger) == {}
    assert [orphan.ref for orphan in ledger.orphans.unresolved()] == [late]

    ledger.sweep()

    assert ledger.orphans.unresolved() == []
    assert [event.ref for event in events_of(ledger, OrphanRemoved)] == [late]


def test_follower_sweeps_what_comes_up_until_it_is_stopped(tmp_path: Path, text: Path) -> None:
    data = tmp_path / "data"
    with open_ledger(data, QUICK) as ledger:
        owner, manifest = rolled_back(ledger, text)
    with start(data, "sweep", "--follow", "--grace", "0", "--every", "0.1") as follower:
        wait_until((data / "reports" / "failed_cleanups.json").exists, "the first sweep")
        with open_ledger(data, QUICK) as ledger:
            ledger.services.manifests.put(owner, manifest, lambda: None)
            wait_until(lambda: not what_is_left(ledger), "the follower sweeps")
        follower.send_signal(signal.SIGTERM)
        told, errors = follower.communicate(timeout=60)

    assert (follower.returncode, errors) == (0, "")
    assert told.splitlines() == [
        f"removed manifests {owner.document_id} of saga {owner.saga_id[:12]}"
    ]


def test_dry_run_of_the_command_prints_its_plan(ledger: Ledger, late: str, tmp_path: Path) -> None:
    ledger.close()

    shown = run(tmp_path / "data", "sweep", "--dry-run")
    told = json_of(run(tmp_path / "data", "sweep", "--dry-run", "--json"))

    assert "would be removed" in shown.stdout
    assert [orphan["ref"] for orphan in told["report"]["planned"]] == [late]


def test_dry_run_that_follows_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    refused = run(tmp_path / "data", "sweep", "--follow", "--dry-run")

    assert refused.returncode == 2
    assert "--dry-run" in refused.stderr
