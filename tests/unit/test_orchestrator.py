"""What the orchestrator does around a step: outcomes, durations, undo and probe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.domain.errors import NotFoundError, StorageFullError
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep, StepContext
from sagaledger.domain.saga.errors import (
    CompensationError,
    LeaseHeldError,
    LeaseLostError,
    SagaStateError,
    WorkerStoppedError,
)
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    RollbackRequired,
    SagaClaimed,
    SagaStarted,
    StepCompleted,
    StepFailed,
)
from sagaledger.domain.saga.progress import Progress
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.upload.errors import SourceNotFoundError
from sagaledger.domain.upload.events import UploadInterrupted

from tests.support.orchestration import SAGA, Worker, worker

LEFT = Residue("shelf", "book", 1, "still there")
AT_ONCE = RetryPolicy(2)


@pytest.fixture
def alone() -> Iterator[Worker]:
    with worker() as only:
        yield only


def saga(*steps: SagaStep, pivot: str = "") -> SagaDefinition:
    return SagaDefinition("shelving", steps, pivot=pivot)


def nothing(_context: StepContext) -> None:
    """A step without a result."""


def raising(error: BaseException) -> Callable[[StepContext], Any]:
    def act(_context: StepContext) -> None:
        raise error

    return act


def taking(alone: Worker, seconds: float, result: Any = None) -> Callable[[StepContext], Any]:
    def act(_context: StepContext) -> Any:
        alone.clock.pass_s(seconds)
        return result

    return act


FAILS = SagaStep("fail", raising(ValueError("no shelf")))


def test_saga_whose_steps_are_done_is_completed_with_their_outputs_and_times(alone: Worker) -> None:
    result = alone.run(
        saga(SagaStep("a", taking(alone, 2.5, {"n": 1})), SagaStep("b", taking(alone, 0.5)))
    )

    assert result.status is SagaStatus.COMPLETED
    assert result.outputs == {"a": {"n": 1}, "b": {}}
    assert result.timings_s == {"a": 2.5, "b": 0.5}
    assert [e.duration_s for e in alone.events(StepCompleted)] == [2.5, 0.5]


def test_new_saga_is_recorded_before_any_claim_and_then_claimed_for_the_length_of_a_lease(
    alone: Worker,
) -> None:
    alone.run(saga(SagaStep("a", nothing)))

    first, second = alone.recorded()[:2]
    assert (type(first.event), first.originator_version, first.epoch) == (SagaStarted, 1, 0)
    assert (second.event, second.originator_version, second.epoch) == (
        SagaClaimed("worker", 1, 30.0),
        2,
        1,
    )


def test_saga_is_ours_while_it_runs_and_nobodys_afterwards(alone: Worker) -> None:
    held: list[bool] = []
    alone.run(saga(SagaStep("a", lambda _: held.append(SAGA in alone.leases.held))))

    assert held == [True]
    assert alone.leases.held == {}


def test_id_that_is_taken_starts_no_second_saga(alone: Worker) -> None:
    alone.run(saga(SagaStep("a", nothing)))
    before = alone.recorded()

    with pytest.raises(VersionConflictError):
        alone.run(saga(SagaStep("a", nothing)))

    assert alone.recorded() == before


def test_saga_without_a_deadline_runs_as_long_as_it_takes(alone: Worker) -> None:
    result = alone.run(saga(SagaStep("a", taking(alone, 1e6)), SagaStep("b", nothing)))

    assert result.success
    assert alone.events(SagaStarted)[0].deadline_s == 0


def test_saga_whose_deadline_passed_is_rolled_back_at_the_next_step(alone: Worker) -> None:
    steps = (SagaStep("a", taking(alone, 6), nothing), SagaStep("b", nothing, nothing))
    result = alone.run(saga(*steps), deadline_s=5)

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "deadline_exceeded")
    assert alone.events(SagaStarted)[0].deadline_s == 5


def test_saga_that_nobody_began_cannot_be_driven(alone: Worker) -> None:
    with pytest.raises(NotFoundError):
        alone.drive()


def test_saga_that_has_ended_is_refused_before_its_lease_is_asked_for(alone: Worker) -> None:
    alone.run(saga(SagaStep("a", nothing)))
    with worker(name="other", beside=alone) as other:
        other.orchestrator.leases.acquire(SAGA, 30.0)

        with pytest.raises(SagaStateError):
            alone.drive()


def test_saga_of_a_living_worker_is_not_taken_over(alone: Worker) -> None:
    def rival(_context: StepContext) -> None:
        with worker(name="other", beside=alone) as other, pytest.raises(LeaseHeldError):
            other.drive()

    assert alone.run(saga(SagaStep("a", rival))).success
    assert [claim.owner for claim in alone.events(SagaClaimed)] == ["worker"]


@pytest.mark.parametrize("error", [LeaseLostError(SAGA.hex), WorkerStoppedError("stopping")])
def test_worker_that_may_not_go_on_records_no_failure_of_the_step(
    alone: Worker, error: Exception
) -> None:
    definition = saga(SagaStep("a", raising(error), nothing))

    if isinstance(error, LeaseLostError):
        with pytest.raises(LeaseLostError):
            alone.run(definition)
    else:
        assert alone.run(definition).status is SagaStatus.RUNNING

    assert alone.kinds()[-1] == "StepStarted"


@pytest.mark.parametrize("error", [LeaseLostError(SAGA.hex), WorkerStoppedError("stopping")])
@pytest.mark.parametrize("place", ["undo", "probe"])
def test_worker_that_may_not_go_on_records_no_try_of_the_undo(
    alone: Worker, error: Exception, place: str
) -> None:
    undo, probe = (raising(error), None) if place == "undo" else (nothing, raising(error))
    definition = saga(SagaStep("a", nothing, undo, probe), FAILS)

    if isinstance(error, LeaseLostError):
        with pytest.raises(LeaseLostError):
            alone.run(definition)
    else:
        assert alone.run(definition).status is SagaStatus.COMPENSATING

    assert alone.events(CompensationAttempted) == []


def test_step_that_raises_is_recorded_with_cause_and_time_and_undone(alone: Worker) -> None:
    def late(_context: StepContext) -> None:
        alone.clock.pass_s(1.5)
        raise SourceNotFoundError("book.txt")

    result = alone.run(saga(SagaStep("a", late, nothing)))

    (failed,) = alone.events(StepFailed)
    assert (failed.step, failed.attempt, failed.duration_s) == ("a", 1, 1.5)
    assert (failed.reason, failed.error_type) == ("file_not_found", "SourceNotFoundError")
    assert failed.error.startswith("source file not found: book.txt")
    assert result.reason == "file_not_found"


def test_undo_is_recorded_with_what_it_removed_what_is_left_and_its_time(alone: Worker) -> None:
    undo, probe = taking(alone, 2, 7), taking(alone, 1, [LEFT])
    policy = RetryPolicy(1)
    definition = saga(SagaStep("a", nothing, undo, probe, compensation_retry=policy), FAILS)

    result = alone.run(definition)

    assert result.status is SagaStatus.COMPENSATION_FAILED
    assert alone.events(CompensationAttempted) == [
        CompensationAttempted("a", 1, 7, (LEFT,), "", True, 3.0)
    ]


def test_step_with_only_a_probe_removes_nothing_and_is_asked(alone: Worker) -> None:
    alone.run(saga(SagaStep("a", nothing, None, lambda _: []), FAILS))

    assert alone.events(CompensationAttempted) == [
        CompensationAttempted("a", 1, 0, (), "", True, 0.0)
    ]


def test_step_with_only_an_undo_is_recorded_as_unverified(alone: Worker) -> None:
    result = alone.run(saga(SagaStep("a", nothing, lambda _: 2), FAILS))

    assert result.unverified == ("a",)
    assert alone.events(CompensationAttempted) == [
        CompensationAttempted("a", 1, 2, (), "", False, 0.0)
    ]


def test_undo_that_raises_has_removed_nothing_that_is_known(alone: Worker) -> None:
    definition = saga(SagaStep("a", nothing, raising(ValueError("stuck")), lambda _: []), FAILS)

    alone.run(definition)

    assert alone.events(CompensationAttempted)[0] == CompensationAttempted(
        "a", 1, 0, (), "ValueError: stuck", True, 0.0
    )


def test_undo_that_says_what_it_left_is_believed_where_there_is_no_probe(alone: Worker) -> None:
    partly = CompensationError("a", "one is stuck", [LEFT], removed=4)
    step = SagaStep("a", nothing, raising(partly), compensation_retry=RetryPolicy(1))

    result = alone.run(saga(step, FAILS))

    assert result.residue == (LEFT,)
    assert alone.events(CompensationAttempted) == [
        CompensationAttempted("a", 1, 4, (LEFT,), str(partly), False, 0.0)
    ]


def test_probe_that_does_not_answer_leaves_the_step_itself_as_residue(alone: Worker) -> None:
    silent = raising(TimeoutError("no answer"))
    step = SagaStep("a", nothing, lambda _: 3, silent, compensation_retry=RetryPolicy(1))

    result = alone.run(saga(step, FAILS))

    left = Residue("a", SAGA.hex, 0, "cannot be asked what is left: no answer")
    assert result.status is SagaStatus.COMPENSATION_FAILED
    assert alone.events(CompensationAttempted) == [
        CompensationAttempted("a", 1, 3, (left,), "", False, 0.0)
    ]


@pytest.mark.parametrize(
    ("returned", "removed", "error"),
    [
        (None, 0, ""),
        (0, 0, ""),
        (True, 1, ""),
        (2**63 - 1, 2**63 - 1, ""),
        (2**63, 0, "TypeError: it returned int where a count belongs"),
        (-1, 0, "TypeError: it returned int where a count belongs"),
        (1.0, 0, "TypeError: it returned float where a count belongs"),
    ],
)
def test_undo_may_return_a_count_that_an_event_can_hold(
    alone: Worker, returned: Any, removed: int, error: str
) -> None:
    step = SagaStep("a", nothing, lambda _: returned, lambda _: [])
    alone.run(saga(step, FAILS))

    tried = alone.events(CompensationAttempted)[0]
    assert (tried.removed, tried.error) == (removed, error)


def test_step_that_changes_its_output_later_changes_nothing_of_what_was_recorded(
    alone: Worker,
) -> None:
    output = {"n": 1}

    def other(_context: StepContext) -> None:
        output["n"] = 2

    result = alone.run(saga(SagaStep("a", lambda _: output), SagaStep("b", other)))

    assert result.outputs["a"] == {"n": 1}


class _FullLog:
    """A log that has no room from a number of appends on, but for what needs none."""

    def __init__(self, inner: Any, after: int) -> None:
        self._inner = inner
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, recorded: Any) -> int:
        self._left -= 1
        begins = any(type(r.event).__name__ in ("StepStarted", "CommitDecided") for r in recorded)
        if self._left < 0 and begins:
            raise StorageFullError("log", "append", "no room")
        stored: int = self._inner.append(recorded)
        return stored


def test_log_without_room_for_the_next_intent_is_rolled_back(alone: Worker) -> None:
    alone.orchestrator.log = _FullLog(alone.log, 1)

    result = alone.run(saga(SagaStep("a", nothing, nothing), SagaStep("b", nothing)))

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "storage_full")
    (why,) = alone.events(RollbackRequired)
    assert why.message == "the event log is full: log store: append failed: no room"


def test_log_without_room_past_the_decision_undoes_nothing(alone: Worker) -> None:
    alone.orchestrator.log = _FullLog(alone.log, 2)
    steps = (SagaStep("a", nothing, nothing), SagaStep("b", nothing), SagaStep("c", nothing))

    with pytest.raises(StorageFullError):
        alone.run(saga(*steps, pivot="b"))

    assert alone.events(RollbackRequired) == []
    assert "CommitDecided" in alone.kinds()


class _FullOnceLog(_FullLog):
    """A log that has no room for what needs none in the worker's own reserve either, once."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner, 1)
        self._was_full = False

    def append(self, recorded: Any) -> int:
        if not self._was_full and any(type(r.event) is RollbackRequired for r in recorded):
            self._was_full = True
            raise StorageFullError("log", "append", "no room")
        return super().append(recorded)


def test_rollback_is_recorded_in_the_room_that_another_thread_gave_up(alone: Worker) -> None:
    # The reserve is gone already, as it is where another saga needed it a moment before.
    assert not alone.orchestrator.reserve.release()
    alone.orchestrator.log = _FullOnceLog(alone.log)

    result = alone.run(saga(SagaStep("a", nothing, nothing), SagaStep("b", nothing)))

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "storage_full")


def test_full_log_and_a_staged_stream_that_has_advanced_still_roll_back(alone: Worker) -> None:
    upload = UUID(int=9)
    late = UploadInterrupted(1, "failed", "late", 0)

    def overtaken(context: StepContext) -> None:
        context.stage(upload, 0, [late], even_on_failure=True)
        alone.log.append(EnvelopeFactory(alone.clock, "other").envelopes(upload, 0, 0, [late]))

    alone.orchestrator.log = _FullLog(alone.log, 1)

    result = alone.run(saga(SagaStep("a", overtaken, nothing), SagaStep("b", nothing)))

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "storage_full")
    assert alone.log.last_version(upload) == 1


@pytest.mark.parametrize(("given", "shown"), [("room 12", "room 12"), ("", "shelving")])
def test_progress_shows_what_the_step_says_it_works_on_or_else_the_definition(
    alone: Worker, given: str, shown: str
) -> None:
    told: list[Progress] = []

    def act(context: StepContext) -> None:
        context.progress(1, 3, "rooms", given)

    alone.orchestrator.run(SAGA, saga(SagaStep("a", act)), {"source": "a.txt"}, report=told.append)

    assert told == [Progress(SAGA, shown, "a", 1, 3, "rooms")]


def test_failure_is_recorded_though_the_upload_moved_on_from_what_was_handed_over(
    alone: Worker,
) -> None:
    upload = UUID(int=9)
    late = UploadInterrupted(1, "LeaseLostError", "", 0)
    envelope_factory = EnvelopeFactory(alone.clock, "former")

    def overtaken(context: StepContext) -> None:
        context.stage(upload, 0, [late], even_on_failure=True)
        alone.log.append(envelope_factory.envelopes(upload, 0, 0, [late]))
        raise ValueError("does not hold")

    result = alone.run(saga(SagaStep("a", overtaken, nothing)))

    assert result.status is SagaStatus.COMPENSATED
    assert [event.error for event in alone.events(StepFailed)] == ["does not hold"]
