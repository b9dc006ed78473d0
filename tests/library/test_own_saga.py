"""A saga of a user's own: plain functions with retries, undo, probes and recovery."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Barrier
from typing import Any

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
from sagaledger.domain.saga.events import CompensationAttempted
from sagaledger.domain.values import Parameters

from tests.support.ledgers import QUICK, events_of, what_is_left


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


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ({"rooms": {12, 13}}, "StepCompleted cannot be stored: set is not plain data"),
        ({"room": 2**70}, "StepCompleted cannot be stored"),
        ({12: "room"}, "a key of plain data that is not text"),
        (12, "'int' object is not iterable"),
    ],
    ids=["a set in it", "too large a number", "a number for a key", "no dictionary"],
)
def test_own_step_that_returns_what_cannot_be_stored_is_undone(
    ledger: Ledger, rooms: Rooms, returned: Any, told: str
) -> None:
    def book(context: StepContext) -> Any:
        rooms.book(context)
        return returned

    booking = SagaStep("book", book, rooms.unbook, rooms.still_booked)
    result = ledger.run(SagaDefinition("booking", [booking]))

    assert (result.status, result.residue) == (SagaStatus.COMPENSATED, ())
    assert told in result.errors[0]
    assert list(rooms.folder.iterdir()) == []


@pytest.mark.parametrize("returned", ["three", -1, 2**70, 1.5, [1]])
def test_own_undo_that_returns_no_count_is_told_and_its_probe_is_asked(
    ledger: Ledger, rooms: Rooms, returned: Any
) -> None:
    def unbook(context: StepContext) -> Any:
        rooms.unbook(context)
        return returned

    result = ledger.run(refused_after(SagaStep("book", rooms.book, unbook, rooms.still_booked)))

    assert (result.status, result.residue) == (SagaStatus.COMPENSATED, ())
    (attempted,) = events_of(ledger, CompensationAttempted)
    assert "where a count belongs" in attempted.error


@pytest.mark.parametrize(
    "returned",
    [7, ["room 12"], [None], [Residue("rooms", 12)], [Residue("rooms", "12", -1)]],  # type: ignore[arg-type]  # What a user's probe may return.
    ids=["a number", "text", "None", "a residue without text", "a residue with less than nothing"],
)
def test_own_probe_that_returns_no_residue_has_not_answered(
    ledger: Ledger, rooms: Rooms, returned: Any
) -> None:
    result = ledger.run(
        refused_after(SagaStep("book", rooms.book, rooms.unbook, lambda _: returned))
    )

    assert result.status is SagaStatus.COMPENSATION_FAILED
    (residue,) = result.residue
    assert (residue.store, residue.count) == ("book", 0)
    assert residue.detail.startswith("cannot be asked what is left: ")


def test_deadline_that_passes_ends_no_undo(ledger: Ledger, rooms: Rooms) -> None:
    def book(context: StepContext) -> dict[str, str]:
        room = rooms.book(context)
        time.sleep(0.05)
        context.checkpoint()
        return room

    def unbook(context: StepContext) -> int:
        context.checkpoint()
        return rooms.unbook(context)

    trip = SagaDefinition("late", [SagaStep("book", book, unbook, rooms.still_booked)])
    result = ledger.run(trip, deadline_s=0.02)

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "deadline_exceeded")
    assert list(rooms.folder.iterdir()) == []


def refused_after(step: SagaStep) -> SagaDefinition:
    """A saga whose second step fails, so that the given first one is undone."""

    def refuse(_: StepContext) -> None:
        raise SagaRollbackRequired(sagaledger.RollbackReason.STEP_FAILED, "nobody wants it")

    return SagaDefinition("refused", [step, SagaStep("refuse", refuse)])


def test_own_saga_is_finished_under_no_other_version_than_it_began_with(
    tmp_path: Path, rooms: Rooms
) -> None:
    with open_ledger(tmp_path / "data") as before:
        before.orchestrator.stopping.set()
        begun = before.run(rooms.trip(), {"refusals": 0})

    with open_ledger(tmp_path / "data") as upgraded:
        upgraded.register(SagaDefinition("trip", [SagaStep("book", rooms.book)], version=2))
        recovered = upgraded.recover()

    assert begun.status is SagaStatus.RUNNING
    assert recovered.finished == []
    assert "'trip' version 1 is not registered" in recovered.failed[begun.saga_id]


def test_saga_that_breaks_its_recovery_keeps_no_other_from_it(
    ledger: Ledger, rooms: Rooms, source: Path
) -> None:
    def break_down(_: Parameters) -> SagaDefinition:
        raise ZeroDivisionError("a defect in a factory")

    ledger.orchestrator.stopping.set()
    broken = ledger.run(rooms.trip(), {"refusals": 0})
    sound = ledger.stream(source)
    ledger.orchestrator.stopping.clear()
    ledger.orchestrator.definitions.register_factory("trip", 1, break_down)

    recovered = ledger.recover()

    assert recovered.failed == {broken.saga_id: "ZeroDivisionError: a defect in a factory"}
    assert [result.saga_id for result in recovered.finished] == [sound.saga_id]
    assert recovered.finished[0].status is SagaStatus.COMPLETED


def test_open_sagas_are_recovered_several_at_once_and_told_oldest_first(
    ledger: Ledger, rooms: Rooms
) -> None:
    met = Barrier(3, timeout=10)
    meeting = SagaDefinition("meeting", [SagaStep("meet", lambda _: {"n": met.wait()})])
    ledger.orchestrator.stopping.set()
    begun = [ledger.run(rooms.trip(), {"refusals": 0}).saga_id for _ in range(5)]
    begun += [ledger.run(meeting).saga_id for _ in range(3)]
    ledger.orchestrator.stopping.clear()

    recovered = ledger.recover(at_once=4)

    assert [result.saga_id for result in recovered.finished] == begun
    assert {result.status for result in recovered.finished} == {SagaStatus.COMPLETED}


def test_recovery_that_is_to_stop_takes_up_no_more_sagas(ledger: Ledger) -> None:
    def stop(_: StepContext) -> None:
        ledger.stop()

    stopping = SagaDefinition("stopping", [SagaStep("stop", stop), SagaStep("after", stop)])
    ledger.orchestrator.stopping.set()
    begun = [ledger.run(stopping).saga_id for _ in range(20)]
    ledger.orchestrator.stopping.clear()

    stopped = ledger.recover(at_once=3).finished
    ledger.orchestrator.stopping.clear()

    assert 1 <= len(stopped) <= 6
    assert [result.saga_id for result in stopped] == begun[: len(stopped)]
    assert {result.status for result in stopped} == {SagaStatus.RUNNING}


def test_what_ends_one_thread_of_a_recovery_ends_the_recovery(ledger: Ledger) -> None:
    def end(_: StepContext) -> None:
        raise SystemExit("the machine goes down")

    ending = SagaDefinition("ending", [SagaStep("end", end)])
    ledger.orchestrator.stopping.set()
    begun = [ledger.run(ending).saga_id for _ in range(20)]
    ledger.orchestrator.stopping.clear()

    with pytest.raises(SystemExit, match="goes down"):
        ledger.recover(at_once=3)

    claims = [ledger.log.last_version(saga_id) for saga_id in begun]
    assert sum(version > min(claims) for version in claims) <= 3


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
from tests.library.test_own_saga import Rooms

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
