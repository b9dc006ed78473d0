"""What a new owner finds: steps in doubt, waits, failures past the decision, time spent."""

from __future__ import annotations

import pytest
from sagaledger.domain.errors import SagaledgerError, StorageBackendError
from sagaledger.domain.saga.decisions import (
    Idle,
    RunStep,
    WaitForRetry,
    advance,
    begin_retry,
    next_action,
)
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.events import (
    CommitDecided,
    RetryScheduled,
    SagaCompleted,
    SagaEvent,
    SagaPaused,
    SagaResumed,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.upload.errors import SourceNotFoundError

from tests.support.specification import (
    claimed,
    given,
    saga_after,
    started,
    step,
    step_done,
    step_failed,
    take_over,
    with_consequences,
)

PLAIN = SagaDefinition("copy", [step("a", tries=3), step("b")])
PIVOTED = SagaDefinition("copy", [step("a"), step("b", tries=2)], pivot="b")

A_STARTED, A_DONE = StepStarted("a", 1), StepCompleted("a", 1, {}, 0.5)
TIMEOUT = StorageBackendError("vector", "upsert", "timeout")
DECIDED: list[SagaEvent] = [claimed(), A_STARTED, A_DONE, CommitDecided("b")]
PAUSED, RESUMED = SagaPaused("ann"), SagaResumed("ann")


def failed(name: str, attempt: int, error: SagaledgerError = TIMEOUT) -> StepFailed:
    return StepFailed(name, attempt, error.reason, str(error), type(error).__name__, 0.5)


def test_step_in_doubt_is_begun_again_by_the_new_owner_as_the_same_attempt() -> None:
    taken = (
        given(started(PLAIN), claimed(), StepStarted("a", 2))
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(2), StepStarted("a", 2))
    )

    assert next_action(taken.state, PLAIN) == RunStep("a", 2)
    assert taken.state.steps["a"].epoch == 2


def test_completed_steps_are_not_run_again_by_the_new_owner() -> None:
    given(started(PLAIN), claimed(), A_STARTED, A_DONE, StepStarted("b", 1)).when(
        with_consequences(PLAIN, take_over)
    ).then(claimed(2), StepStarted("b", 1))


def test_wait_for_a_retry_survives_a_restart() -> None:
    retry = RetryScheduled("a", 2, 10.0, 15_000_000)

    taken = (
        given(started(PLAIN), claimed(), A_STARTED, failed("a", 1), retry)
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(2))
    )

    assert next_action(taken.state, PLAIN) == WaitForRetry(15_000_000, 10.0)
    taken.when(with_consequences(PLAIN, begin_retry)).then(StepStarted("a", 2))


def test_saga_in_doubt_past_the_decision_is_finished_without_deciding_again() -> None:
    history = [*DECIDED, StepStarted("b", 1)]

    (
        given(started(PIVOTED), *history)
        .when(with_consequences(PIVOTED, take_over))
        .then(claimed(2), StepStarted("b", 1))
        .when(step_done(PIVOTED, "b"))
        .then(StepCompleted("b", 1, {}, 0.5), SagaCompleted())
    )


@pytest.mark.parametrize(
    ("attempt", "error"),
    [(2, TIMEOUT), (1, SourceNotFoundError("a.bin"))],
    ids=["used up", "permanent"],
)
def test_step_failed_past_the_decision_waits_for_a_new_owner(
    attempt: int, error: SagaledgerError
) -> None:
    history = [*DECIDED, StepStarted("b", attempt)]

    given_up = (
        given(started(PIVOTED), *history)
        .when(step_failed(PIVOTED, "b", error))
        .then(failed("b", attempt, error))
    )

    assert next_action(given_up.state, PIVOTED) == Idle()
    given_up.when(lambda s: advance(s, PIVOTED)).then()
    given_up.when(with_consequences(PIVOTED, take_over)).then(claimed(2), StepStarted("b", 1))


def test_step_failed_past_the_decision_is_retried_by_the_same_owner_first() -> None:
    history = [*DECIDED, StepStarted("b", 1)]

    given(started(PIVOTED), *history).when(step_failed(PIVOTED, "b", TIMEOUT)).then(
        failed("b", 1), RetryScheduled("b", 2, 10.0, 10_000_000)
    )


@pytest.mark.parametrize(
    ("history", "at_s", "active_s"),
    [
        ([claimed(), A_STARTED, A_DONE], [0, 5, 5, 65], 60),
        # Nobody was there between the crash at 10 s and the next claim.
        (
            [claimed(), A_STARTED, claimed(2), A_STARTED, A_DONE],
            [0, 0, 10, 5_000, 5_000, 5_030],
            40,
        ),
        # A clock that is set back takes nothing away, and counts again from there.
        ([claimed(), A_STARTED, A_DONE, StepStarted("b", 1)], [100, 100, 130, 50, 70], 50),
        ([claimed(), A_STARTED, claimed(2), A_DONE], [100, 100, 110, 20, 25], 15),
        # Paused for hours: whoever resumes it does not prove that a worker was there.
        (
            [claimed(), A_STARTED, PAUSED, RESUMED, claimed(2), A_DONE],
            [0, 0, 10, 12, 9_000, 9_001, 9_006],
            15,
        ),
        # Crashed at 10 s, then paused and resumed by hand.
        (
            [claimed(), A_STARTED, PAUSED, RESUMED, claimed(2), A_DONE],
            [0, 0, 10, 4_000, 9_000, 9_001, 9_006],
            15,
        ),
        # Resumed before the worker saw the pause: it never stopped.
        ([claimed(), A_STARTED, PAUSED, RESUMED, A_DONE], [0, 0, 10, 20, 30, 60], 60),
    ],
    ids=[
        "one owner",
        "crash",
        "clock back",
        "clock back at claim",
        "pause",
        "crash, pause",
        "late",
    ],
)
def test_time_is_active_only_while_a_worker_was_seen(
    history: list[SagaEvent], at_s: list[float], active_s: float
) -> None:
    saga = saga_after(started(PLAIN, deadline_s=100.0), *history, at_s=at_s)

    assert saga.active_us == active_s * 1_000_000
