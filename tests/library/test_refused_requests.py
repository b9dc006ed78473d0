"""A request about a saga that is refused has changed nothing: every check comes before the first
event, in the library as in the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from uuid import UUID

import pytest
from sagaledger import (
    Ledger,
    Residue,
    RetryPolicy,
    SagaDefinition,
    SagaExecutionResult,
    SagaRollbackRequired,
    SagaStatus,
    SagaStep,
    StepContext,
    cleanup_chunks_with_verification,
    execute_streaming_saga_with_rollback,
    open_ledger,
    perform_compensation,
)
from sagaledger.domain.housekeeping.errors import OrphanAdoptedError
from sagaledger.domain.saga.errors import DefinitionUnknownError, LeaseHeldError, SagaStateError
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.values import upload_id_of

from tests.support.commands import refusal_of, run
from tests.support.faults import FaultyChunks
from tests.support.ledgers import QUICK

WRONG_STATE = 8
FAILED = 1

Request = Callable[[Ledger, UUID], object]

REQUESTS: dict[str, Request] = {
    "drive": lambda ledger, saga_id: ledger.drive(saga_id),
    "perform_compensation": perform_compensation,
    "roll_back": lambda ledger, saga_id: ledger.requests.roll_back(saga_id, "ann", "no"),
    "cancel": lambda ledger, saga_id: ledger.requests.cancel(saga_id, "ann", "no"),
    "resume": lambda ledger, saga_id: ledger.requests.resume(saga_id, "ann"),
}


class Desk:
    """A saga of a user's own that books one thing, and that can be hindered from undoing it."""

    def __init__(self) -> None:
        self.booked: set[UUID] = set()
        self.is_closed = False

    def book(self, context: StepContext) -> None:
        self.booked.add(context.saga_id)

    def unbook(self, context: StepContext) -> int:
        if self.is_closed:
            raise OSError("the desk is closed")
        self.booked.discard(context.saga_id)
        return 1

    def still_booked(self, context: StepContext) -> list[Residue]:
        return [Residue("desk", "room 12")] if context.saga_id in self.booked else []

    def refuse(self, _: StepContext) -> None:
        raise SagaRollbackRequired(RollbackReason.STEP_FAILED, "nobody wants it")

    def trip(self) -> SagaDefinition:
        once = RetryPolicy(1, delay_s=0.0)
        book = SagaStep("book", self.book, self.unbook, self.still_booked, compensation_retry=once)
        return SagaDefinition("trip", [book, SagaStep("refuse", self.refuse)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def begun(data: Path) -> UUID:
    """A saga that was begun and paused, in a process that knows its definition."""
    with open_ledger(data, QUICK) as ledger:
        ledger.orchestrator.stopping.set()
        saga_id = ledger.run(Desk().trip()).saga_id
        ledger.control.pause(saga_id, "ann")
    return saga_id


def adopted_rollback(ledger: Ledger, desk: Desk) -> SagaExecutionResult:
    """A rollback that left something, which somebody has adopted since."""
    desk.is_closed = True
    failed = ledger.run(desk.trip())
    assert failed.status is SagaStatus.COMPENSATION_FAILED
    ledger.housekeeping.adopt(ledger.orphans.known(), "ann", "evidence")
    desk.is_closed = False
    return failed


@pytest.mark.parametrize("request_name", REQUESTS)
def test_request_for_a_saga_of_unknown_definition_stores_nothing(
    data: Path, begun: UUID, request_name: str
) -> None:
    with open_ledger(data, QUICK) as ledger:
        position = ledger.log.last_position()

        with pytest.raises(DefinitionUnknownError, match=r"'trip' version 1 is not registered$"):
            REQUESTS[request_name](ledger, begun)

        assert ledger.log.last_position() == position


def test_recovery_of_a_saga_of_unknown_definition_stores_nothing(data: Path) -> None:
    with open_ledger(data, QUICK) as before:
        before.orchestrator.stopping.set()
        saga_id = before.run(Desk().trip()).saga_id

    with open_ledger(data, QUICK) as ledger:
        position = ledger.log.last_position()
        report = ledger.recover()

        assert report.failed == {saga_id: "saga definition 'trip' version 1 is not registered"}
        assert ledger.log.last_position() == position


@pytest.mark.parametrize("command", ["rollback", "cancel", "resume"])
def test_command_for_a_saga_of_unknown_definition_is_refused_with_advice_and_stores_nothing(
    data: Path, begun: UUID, command: str
) -> None:
    with open_ledger(data, QUICK) as ledger:
        position = ledger.log.last_position()

    line = refusal_of(run(data, command, begun.hex), FAILED)

    assert line == (
        "error: saga definition 'trip' version 1 is not registered; "
        "name the app that registers it: `sagaledger --app MODULE:ATTRIBUTE …`"
    )
    with open_ledger(data, QUICK) as ledger:
        assert ledger.log.last_position() == position


def test_recover_command_names_the_option_for_a_saga_of_unknown_definition(data: Path) -> None:
    with open_ledger(data, QUICK) as before:
        before.orchestrator.stopping.set()
        before.run(Desk().trip())
        position = before.log.last_position()

    done = run(data, "recover")

    assert done.returncode == FAILED
    assert "not recovered" in done.stdout
    assert "`sagaledger --app MODULE:ATTRIBUTE …`" in done.stderr
    with open_ledger(data, QUICK) as ledger:
        assert ledger.log.last_position() == position


@pytest.mark.parametrize("request_name", ["drive", "perform_compensation", "roll_back"])
def test_rollback_with_adopted_residue_is_not_taken_up_again(data: Path, request_name: str) -> None:
    desk = Desk()
    with open_ledger(data, QUICK) as ledger:
        failed = adopted_rollback(ledger, desk)
        position = ledger.log.last_position()

        with pytest.raises(OrphanAdoptedError, match="desk room 12 is adopted"):
            REQUESTS[request_name](ledger, failed.saga_id)

        assert ledger.log.last_position() == position
        assert desk.booked == {failed.saga_id}


def test_recovery_of_a_rollback_with_adopted_residue_says_so_and_removes_nothing(
    data: Path,
) -> None:
    desk = Desk()
    with open_ledger(data, QUICK) as ledger:
        desk.is_closed = True
        failed = ledger.run(desk.trip())
        # A second round that is stopped before its first undo leaves the rollback open.
        ledger.orchestrator.stopping.set()
        assert ledger.drive(failed.saga_id).status is SagaStatus.COMPENSATING
        ledger.orchestrator.stopping.clear()
        ledger.housekeeping.adopt(ledger.orphans.known(), "ann", "evidence")
        desk.is_closed = False
        position = ledger.log.last_position()

        report = ledger.recover()

        assert "desk room 12 is adopted" in report.failed[failed.saga_id]
        assert ledger.log.last_position() == position
        assert desk.booked == {failed.saga_id}


def test_adopted_chunks_are_not_cleaned_up(
    ledger: Ledger, chunks: FaultyChunks, source: Path
) -> None:
    chunks.fail_creates, chunks.fail_deletes = set(range(4, 100)), {0}
    failed = execute_streaming_saga_with_rollback(ledger, source)
    assert failed.status is SagaStatus.COMPENSATION_FAILED
    chunks.fail_deletes = set()
    ledger.housekeeping.adopt(ledger.orphans.known(), "ann", "evidence")
    position, kept = ledger.log.last_position(), list(ledger.services.chunks.prefixes())

    with pytest.raises(OrphanAdoptedError):
        cleanup_chunks_with_verification(ledger, upload_id_of(failed.saga_id))

    assert ledger.log.last_position() == position
    assert list(ledger.services.chunks.prefixes()) == kept != []


@pytest.mark.parametrize("request_name", ["perform_compensation", "roll_back", "cancel"])
def test_rollback_of_a_saga_that_has_ended_stores_nothing(data: Path, request_name: str) -> None:
    with open_ledger(data, QUICK) as ledger:
        done = ledger.run(SagaDefinition("done", [SagaStep("only", lambda _: None)]))
        position = ledger.log.last_position()

        with pytest.raises(SagaStateError):
            REQUESTS[request_name](ledger, done.saga_id)

        assert ledger.log.last_position() == position


def test_saga_that_its_owner_drives_is_cancelled_by_one_that_does_not_know_its_definition(
    data: Path,
) -> None:
    at_work, go_on = Event(), Event()

    def work(context: StepContext) -> None:
        at_work.set()
        assert go_on.wait(30)
        context.checkpoint()

    slow = SagaDefinition("slow", [SagaStep("work", work)])
    ended: list[SagaExecutionResult] = []
    with open_ledger(data, QUICK) as owner, open_ledger(data, QUICK) as other:
        thread = Thread(target=lambda: ended.append(owner.run(slow)))
        thread.start()
        assert at_work.wait(30)
        (open_saga,) = other.directory.open_sagas()
        position = other.log.last_position()

        with pytest.raises(LeaseHeldError):
            other.requests.resume(open_saga.saga_id, "ann")
        assert other.log.last_position() == position
        with pytest.raises(LeaseHeldError):
            other.requests.cancel(open_saga.saga_id, "ann", "not wanted")
        go_on.set()
        result = other.requests.to_end(open_saga.saga_id, wait_s=30)
        thread.join(30)

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "cancelled")
    assert [saga.status for saga in ended] == [SagaStatus.COMPENSATED]
