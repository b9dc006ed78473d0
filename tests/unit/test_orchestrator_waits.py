"""How long the orchestrator waits between tries, and what ends a wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep, StepContext
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
)
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.testing import ManualClock

from tests.support.orchestration import SAGA, Worker, worker

BUSY = StorageBackendError("shelf", "put", "busy")
LATER = RetryPolicy(3, delay_s=4.0, backoff=2.0, jitter=0.5)


@pytest.fixture
def alone() -> Iterator[Worker]:
    with worker() as only:
        yield only


def failing(times: int) -> Callable[[StepContext], None]:
    left = [BUSY] * times

    def act(_context: StepContext) -> None:
        if left:
            raise left.pop()

    return act


def saga(step: SagaStep, *others: SagaStep) -> SagaDefinition:
    return SagaDefinition("shelving", (step, *others))


def begun_and_stopped(alone: Worker) -> None:
    """Somebody's step has failed, and the worker was stopped before it waited."""
    step = SagaStep("put", failing(1), lambda _: 1, retry=LATER)
    stopping = alone.orchestrator.stopping
    jitter = alone.orchestrator.jitter

    def stop() -> float:
        stopping.set()
        return jitter()

    alone.orchestrator.jitter = stop
    alone.run(saga(step))
    alone.orchestrator.jitter = jitter
    stopping.clear()
    assert alone.kinds()[-1] == "RetryScheduled"
    assert alone.clock.waits_s == []


@pytest.mark.parametrize(
    ("jitter", "waits"), [(0.5, [4.0, 8.0]), (0.0, [2.0, 4.0]), (0.75, [5.0, 10.0])]
)
def test_step_is_tried_again_after_delays_that_grow_and_spread(
    jitter: float, waits: list[float]
) -> None:
    with worker(jitter) as alone:
        result = alone.run(saga(SagaStep("put", failing(2), retry=LATER)))

        assert result.success
        assert [e.delay_s for e in alone.events(RetryScheduled)] == waits
        assert alone.clock.waited_s == sum(waits)
        assert max(alone.clock.waits_s) == pytest.approx(0.1)


def test_undo_is_tried_again_after_delays_that_grow_and_spread() -> None:
    undo = SagaStep("put", lambda _: None, failing(2), compensation_retry=LATER)
    with worker(jitter=0.75) as alone:
        result = alone.run(saga(undo, SagaStep("fail", failing(1))))

        assert result.status is SagaStatus.COMPENSATED
        assert [e.attempt for e in alone.events(CompensationAttempted)] == [1, 2, 3]
        assert alone.clock.waited_s == 5.0 + 10.0
        assert [e.duration_s for e in alone.events(CompensationAttempted)] == [0, 0, 0]


def test_delay_shorter_than_a_slice_is_waited_in_one(alone: Worker) -> None:
    alone.run(saga(SagaStep("put", failing(1), retry=RetryPolicy(2, 0.05, jitter=0.0))))

    assert alone.clock.waits_s == pytest.approx([0.05])


@pytest.mark.parametrize(
    ("passed_s", "left_s"),
    [(0.0, 4.0), (1.5, 2.5), (4.0, 0.0), (9.0, 0.0), (-3600.0, 4.0)],
    ids=["at once", "in between", "in time", "late", "clock set back"],
)
def test_worker_that_takes_over_waits_for_what_is_left_and_never_longer_than_was_meant(
    alone: Worker, passed_s: float, left_s: float
) -> None:
    begun_and_stopped(alone)
    alone.clock.us += round(passed_s * 1_000_000)

    result = alone.drive()

    assert result.success
    assert alone.clock.waited_s == left_s


def test_cancel_during_a_wait_rolls_back_at_once(alone: Worker) -> None:
    begun_and_stopped(alone)
    sleep = ManualClock.sleep
    cancelled: list[float] = []

    class Impatient(ManualClock):
        def sleep(self, seconds: float) -> None:
            sleep(self, seconds)
            if not cancelled:
                cancelled.append(self.waited_s)
                alone.control.cancel(SAGA, "ada", "no longer wanted")

    alone.orchestrator.clock = clock = Impatient(alone.clock.us)

    result = alone.drive()

    assert (result.status, result.reason) == (SagaStatus.COMPENSATED, "cancelled")
    (why,) = alone.events(RollbackRequired)
    assert why.message == "cancelled by ada: no longer wanted"
    assert clock.waited_s < 0.5


def test_pause_during_a_wait_lets_go_and_undoes_nothing(alone: Worker) -> None:
    begun_and_stopped(alone)
    alone.control.pause(SAGA, "ada")

    result = alone.drive()

    assert (result.paused, result.status) == (True, SagaStatus.RUNNING)
    assert alone.events(RollbackRequired) == []
    assert alone.leases.held == {}


def test_pause_during_a_step_lets_go_and_records_no_failure(alone: Worker) -> None:
    def paused(context: StepContext) -> None:
        alone.control.pause(SAGA, "ada")
        alone.clock.pass_s(1)
        context.checkpoint()

    result = alone.run(saga(SagaStep("put", paused, lambda _: 1)))

    assert result.paused
    assert alone.kinds()[-1] == "SagaPaused"


def test_worker_stopped_during_a_wait_leaves_the_saga_for_the_next(alone: Worker) -> None:
    begun_and_stopped(alone)
    before = len(alone.recorded())
    alone.orchestrator.stopping.set()

    result = alone.drive()

    assert result.status is SagaStatus.RUNNING
    assert alone.kinds()[before:] == ["SagaClaimed"]


def test_worker_stopped_between_two_tries_of_an_undo_tries_no_more(alone: Worker) -> None:
    def stops(_context: StepContext) -> None:
        alone.orchestrator.stopping.set()
        raise BUSY

    undo = SagaStep("put", lambda _: None, stops, compensation_retry=LATER)

    result = alone.run(saga(undo, SagaStep("fail", failing(1))))

    assert result.status is SagaStatus.COMPENSATING
    assert len(alone.events(CompensationAttempted)) == 1
