"""A saga of a user's own: plain functions with retries, undo, probes and recovery."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sagaledger
from sagaledger import (
    Ledger,
    Residue,
    RetryPolicy,
    SagaDefinition,
    SagaRollbackRequired,
    SagaStatus,
    SagaStep,
    StepContext,
    build_streaming_upload_saga_definition,
    open_ledger,
)

from tests.support.ledgers import QUICK, what_is_left


class Rooms:
    """Where a user's own saga leaves its traces: a file per booking."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.charges = 0
        self.refuse_unbooking = False

    def path(self, context: StepContext) -> Path:
        return self.folder / context.saga_id.hex

    def book(self, context: StepContext) -> dict[str, str]:
        self.path(context).write_text("room 12")
        return {"room": "room 12"}

    def unbook(self, context: StepContext) -> int:
        if self.refuse_unbooking:
            raise OSError("the desk is closed")
        self.path(context).unlink(missing_ok=True)
        return 1

    def still_booked(self, context: StepContext) -> list[Residue]:
        return [Residue("rooms", "room 12")] if self.path(context).exists() else []

    def charge(self, context: StepContext) -> None:
        self.charges += 1
        if self.charges <= int(str(context.parameters["refusals"])):
            raise OSError("the bank does not answer")

    def confirm(self, context: StepContext) -> dict[str, str]:
        return {"confirmed": str(context.outputs["book"]["room"])}

    def trip(self) -> SagaDefinition:
        return SagaDefinition(
            "trip",
            [
                SagaStep("book", self.book, self.unbook, self.still_booked),
                SagaStep("charge", self.charge, retry=RetryPolicy(3, delay_s=0.01)),
                SagaStep("confirm", self.confirm),
            ],
        )


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return Rooms(tmp_path / "rooms")


def test_own_saga_completes_after_a_retry(ledger: Ledger, rooms: Rooms) -> None:
    result = ledger.run(rooms.trip(), {"refusals": 1})

    assert result.status is SagaStatus.COMPLETED
    assert result.outputs["confirm"] == {"confirmed": "room 12"}
    assert rooms.charges == 2
    assert list(result.timings_s) == ["book", "charge", "confirm"]


def test_own_saga_out_of_retries_rolls_back(ledger: Ledger, rooms: Rooms) -> None:
    result = ledger.run(rooms.trip(), {"refusals": 9})

    assert (result.status, result.residue) == (SagaStatus.COMPENSATED, ())
    assert result.errors == ("step 'charge' failed after 3 attempts: the bank does not answer",)
    assert result.unverified == ()
    assert list(rooms.folder.iterdir()) == []


def test_own_saga_whose_undo_fails_says_what_is_left(ledger: Ledger, rooms: Rooms) -> None:
    rooms.refuse_unbooking = True

    result = ledger.run(rooms.trip(), {"refusals": 9})

    assert result.status is SagaStatus.COMPENSATION_FAILED
    assert result.residue == (Residue("rooms", "room 12"),)
    assert "the desk is closed" in result.compensation_errors[0]


def test_own_saga_of_a_killed_process_is_recovered_once_it_is_registered(
    tmp_path: Path, rooms: Rooms
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_TRIP, str(tmp_path / "data"), str(tmp_path / "rooms")],
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(rooms.folder.iterdir())) == 1

    with open_ledger(tmp_path / "data") as ledger:
        (problem,) = ledger.recover().failed.values()
        ledger.register(rooms.trip())
        (result,) = ledger.recover().finished

    assert "'trip' version 1 is not registered" in problem
    assert result.status is SagaStatus.COMPLETED
    assert rooms.charges == 1


KILLED_TRIP = f"""
import os, signal, sys
from pathlib import Path
from sagaledger import open_ledger
from tests.end_to_end.test_own_saga import Rooms

class Doomed(Rooms):
    def charge(self, context):
        os.kill(os.getpid(), {int(signal.SIGKILL)})

with open_ledger(sys.argv[1]) as ledger:
    ledger.run(Doomed(Path(sys.argv[2])).trip(), {{"refusals": 0}})
"""


def test_extended_upload_undoes_everything_if_its_own_step_fails(
    ledger: Ledger, source: Path
) -> None:
    def refuse(context: StepContext) -> None:
        raise SagaRollbackRequired(sagaledger.RollbackReason.STEP_FAILED, "nobody wants it")

    def build(*_: object) -> SagaDefinition:
        nine = build_streaming_upload_saga_definition(ledger, QUICK)
        steps = [*nine.steps[:-1], SagaStep("approve", refuse), nine.steps[-1]]
        return SagaDefinition("approved-upload", steps, pivot="finalize")

    result = ledger.stream(source, build=build)

    assert (result.status, result.errors) == (SagaStatus.COMPENSATED, ("nobody wants it",))
    assert what_is_left(ledger) == {}
