"""What people ask of a saga: cancel, pause, resume; and when it is parked."""

from __future__ import annotations

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.decisions import (
    MAX_CLAIMS_WITHOUT_PROGRESS,
    Compensate,
    Idle,
    RunStep,
    WaitForRetry,
    advance,
    cancel_saga,
    next_action,
    pause_saga,
    resume_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaCancelled,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaEvent,
    SagaParked,
    SagaPaused,
    SagaResumed,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, SagaStatus

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

PLAIN = SagaDefinition("copy", [step("a", tries=2), step("b")])
PIVOTED = SagaDefinition("copy", [step("a"), step("b")], pivot="b")

A_STARTED, A_DONE = StepStarted("a", 1), StepCompleted("a", 1, {}, 0.5)
B_STARTED, B_DONE = StepStarted("b", 1), StepCompleted("b", 1, {}, 0.5)
A_FAILED = StepFailed("a", 1, "storage_unavailable", "timeout", "StorageBackendError", 0.5)
RETRY = RetryScheduled("a", 2, 10.0, 10_000_000)
CANCELLED = SagaCancelled("ann", "wrong file")
CANCEL_ROLLBACK = "cancelled by ann: wrong file"
ROLLBACK = RollbackRequired("storage_full", "no space", "a")
PAUSED, RESUMED = SagaPaused("ann"), SagaResumed("ann")
A_UNDONE = CompensationAttempted("a", 1, 3, (), "", True, 0.25)
DECIDED: list[SagaEvent] = [claimed(), A_STARTED, A_DONE, CommitDecided("b"), B_STARTED]
A_LEFT = CompensationAttempted("a", 1, 0, (Residue("shelf", "a", 1, ""),), "", True, 0.25)
COMPLETED: list[SagaEvent] = [*DECIDED, B_DONE, SagaCompleted()]
COMPENSATED: list[SagaEvent] = [claimed(), A_STARTED, ROLLBACK, A_UNDONE, SagaCompensated(())]


def cancel(saga: Saga) -> list[SagaEvent]:
    return cancel_saga(saga, "ann", "wrong file")


def pause(saga: Saga) -> list[SagaEvent]:
    return pause_saga(saga, "ann")


def resume(saga: Saga) -> list[SagaEvent]:
    return resume_saga(saga, "ann")


def claims(first: int, count: int) -> list[SagaEvent]:
    return [claimed(epoch) for epoch in range(first, first + count)]


def test_running_saga_cancelled_is_rolled_back_by_its_owner() -> None:
    cancelled = given(started(PLAIN), claimed(), A_STARTED).when(cancel).then(CANCELLED)

    cancelled.when(lambda s: advance(s, PLAIN)).then(
        RollbackRequired("cancelled", CANCEL_ROLLBACK, "a")
    )
    cancelled.when(cancel).then()


def test_pending_saga_cancelled_ends_with_its_first_claim() -> None:
    given(started(PLAIN)).when(cancel).then(CANCELLED).when(
        with_consequences(PLAIN, take_over)
    ).then(claimed(), RollbackRequired("cancelled", CANCEL_ROLLBACK, ""), SagaCompensated(()))


def test_saga_cancelled_while_its_step_ends_begins_no_other() -> None:
    given(started(PIVOTED), claimed(), A_STARTED, CANCELLED).when(step_done(PIVOTED, "a")).then(
        A_DONE, RollbackRequired("cancelled", CANCEL_ROLLBACK, "")
    )


def test_saga_cancelled_while_its_last_step_ends_does_not_commit() -> None:
    history: list[SagaEvent] = [claimed(), A_STARTED, A_DONE, B_STARTED, CANCELLED]

    given(started(PLAIN), *history).when(step_done(PLAIN, "b")).then(
        B_DONE, RollbackRequired("cancelled", CANCEL_ROLLBACK, "")
    )


def test_saga_cancelled_while_it_waits_is_not_tried_again() -> None:
    given(started(PLAIN), claimed(), A_STARTED, A_FAILED, RETRY, CANCELLED).when(
        lambda s: advance(s, PLAIN)
    ).then(RollbackRequired("cancelled", CANCEL_ROLLBACK, ""))


def test_paused_saga_cancelled_is_paused_no_more() -> None:
    cancelled = given(started(PLAIN), claimed(), A_STARTED, PAUSED).when(cancel).then(CANCELLED)

    assert not cancelled.state.paused
    cancelled.when(with_consequences(PLAIN, take_over)).then(
        claimed(2), RollbackRequired("cancelled", CANCEL_ROLLBACK, "a")
    )


def test_decided_saga_cannot_be_cancelled() -> None:
    given(started(PIVOTED), *DECIDED).when(cancel).then_refused(
        SagaStateError, "decided to commit and only goes forward"
    )


def test_saga_being_rolled_back_cancelled_stays_as_it_is() -> None:
    given(started(PLAIN), claimed(), A_STARTED, ROLLBACK).when(cancel).then()


def test_ended_saga_cannot_be_cancelled_paused_or_resumed() -> None:
    for history in (
        COMPLETED,
        COMPENSATED,
        [*COMPENSATED[:-1], SagaCompensationFailed(("a",))],
    ):
        saga = given(started(PIVOTED), *history)
        saga.when(cancel).then_refused(SagaStateError, "has ended|decided")
        saga.when(pause).then_refused(SagaStateError, "cannot be paused")
        saga.when(resume).then_refused(SagaStateError, "has ended")


def test_running_saga_paused_has_no_work_and_undoes_nothing() -> None:
    paused = given(started(PLAIN), claimed(), A_STARTED).when(pause).then(PAUSED)

    assert paused.state.status is SagaStatus.RUNNING
    assert next_action(paused.state, PLAIN) == Idle()
    paused.when(pause).then()
    paused.when(lambda s: advance(s, PLAIN)).then()


def test_saga_paused_while_its_step_ends_keeps_the_outcome_and_stops() -> None:
    done = (
        given(started(PIVOTED), claimed(), A_STARTED, PAUSED)
        .when(step_done(PIVOTED, "a"))
        .then(A_DONE)
    )

    assert next_action(done.state, PIVOTED) == Idle()
    done.when(resume).then(RESUMED).when(with_consequences(PIVOTED, take_over)).then(
        claimed(2), CommitDecided("b"), B_STARTED
    )


def test_paused_saga_resumed_runs_its_interrupted_step_again() -> None:
    resumed = (
        given(started(PLAIN), claimed(), A_STARTED, PAUSED)
        .when(resume)
        .then(RESUMED)
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(2), A_STARTED)
    )

    assert next_action(resumed.state, PLAIN) == RunStep("a", 1)


def test_saga_paused_while_it_waits_keeps_its_retry() -> None:
    history: list[SagaEvent] = [claimed(), A_STARTED, A_FAILED, RETRY, PAUSED]

    assert next_action(saga_after(started(PLAIN), *history), PLAIN) == Idle()
    resumed = saga_after(started(PLAIN), *history, RESUMED, claimed(2))
    assert next_action(resumed, PLAIN) == WaitForRetry(10_000_000, 10.0)


def test_paused_saga_claimed_again_and_again_stays_paused() -> None:
    history = [claimed(), A_STARTED, PAUSED, *claims(2, MAX_CLAIMS_WITHOUT_PROGRESS + 2)]

    given(started(PLAIN), *history).when(lambda s: advance(s, PLAIN)).then()


def test_saga_paused_whose_step_fails_for_good_is_rolled_back_and_paused_no_more() -> None:
    error = StorageBackendError("vector", "upsert", "timeout")
    failed = StepFailed("b", 1, "storage_unavailable", str(error), "StorageBackendError", 0.5)

    rolled_back = (
        given(started(PLAIN), claimed(), A_STARTED, A_DONE, B_STARTED, PAUSED)
        .when(step_failed(PLAIN, "b", error))
        .then(failed, RollbackRequired("storage_unavailable", str(error), "b"))
    )

    assert not rolled_back.state.paused
    assert next_action(rolled_back.state, PLAIN) == Compensate("b", 1, 1)


def test_pending_saga_paused_begins_nothing_when_claimed() -> None:
    given(started(PLAIN)).when(pause).then(PAUSED).when(with_consequences(PLAIN, take_over)).then(
        claimed()
    )


@pytest.mark.parametrize(
    ("history", "stage"),
    [
        (DECIDED, "decided to commit"),
        ([claimed(), A_STARTED, ROLLBACK], "compensating"),
        ([claimed(), A_STARTED, CANCELLED], "cancelled"),
    ],
    ids=["decided", "compensating", "cancelled"],
)
def test_saga_off_its_forward_path_cannot_be_paused(history: list[SagaEvent], stage: str) -> None:
    given(started(PIVOTED), *history).when(pause).then_refused(
        SagaStateError, f"{stage} and cannot be paused"
    )


def test_saga_that_is_not_paused_resumed_stays_as_it_is() -> None:
    given(started(PLAIN), claimed(), A_STARTED).when(resume).then()
    given(started(PLAIN), claimed(), A_STARTED, ROLLBACK).when(resume).then()


def test_pending_saga_paused_and_resumed_is_pending() -> None:
    saga = saga_after(started(PLAIN), PAUSED, RESUMED)

    assert saga.status is SagaStatus.PENDING


def test_saga_claimed_too_often_without_an_outcome_is_rolled_back_then_set_aside() -> None:
    often = MAX_CLAIMS_WITHOUT_PROGRESS
    rollback = RollbackRequired(
        "recovery_exhausted", f"taken up {often + 1} times without one outcome", "a"
    )
    aside = SagaParked(often + 1, "no recovery could finish the rollback")

    parked = (
        given(started(PLAIN), claimed(), A_STARTED, *claims(2, often - 1))
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(often + 1), rollback)
        .when(lambda _: claims(often + 2, often))
        .then(*claims(often + 2, often))
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(2 * often + 2), aside)
    )

    assert parked.state.status is SagaStatus.FAILED
    assert next_action(parked.state, PLAIN) == Idle()
    parked.when(take_over).then_refused(SagaStateError, "has ended: failed")
    resumed = parked.when(resume).then(RESUMED).when(take_over).then(claimed(2 * often + 3))
    assert resumed.state.parked is None
    assert resumed.state.ended_us == 0
    assert next_action(resumed.state, PLAIN) == Compensate("a", 1, 1)


@pytest.mark.parametrize(
    ("definition", "history", "more"),
    [
        (PLAIN, [A_STARTED], 4),
        (PIVOTED, [A_STARTED, A_DONE, CommitDecided("b"), B_STARTED], 5),
        (PLAIN, [A_STARTED, ROLLBACK], 5),
        (PLAIN, [A_STARTED, ROLLBACK, A_LEFT], 5),
        (PLAIN, [A_STARTED, ROLLBACK, A_LEFT, SagaCompensationFailed(("a",))], 5),
        (PLAIN, [A_STARTED, PAUSED, RESUMED], 5),
    ],
    ids=[
        "forward",
        "decided",
        "compensating",
        "undo tried",
        "compensation failed",
        "resumed",
    ],
)
def test_saga_is_taken_up_as_often_as_is_allowed_and_once_more_tells_that(
    definition: SagaDefinition, history: list[SagaEvent], more: int
) -> None:
    begun = given(started(definition), claimed(), *history)

    last = begun.when(lambda _: claims(2, more)).then(*claims(2, more))
    once_more = with_consequences(definition, take_over)(last.state)

    assert advance(last.state, definition) in ([], [StepStarted("a", 1)], [StepStarted("b", 1)])
    assert type(once_more[1]) in (RollbackRequired, SagaParked)


def test_saga_is_set_aside_after_five_claims_without_progress() -> None:
    assert MAX_CLAIMS_WITHOUT_PROGRESS == 5


@pytest.mark.parametrize(
    "progress",
    [
        [A_STARTED, A_DONE],
        [A_STARTED, StepFailed("a", 1, "step_failed", "no", "OSError", 1.0)],
        [A_STARTED, PAUSED, RESUMED],
    ],
    ids=["step completed", "step failed", "resumed"],
)
def test_progress_of_any_kind_begins_the_count_of_claims_anew(progress: list[SagaEvent]) -> None:
    saga = given(started(PLAIN), claimed(1), claimed(2), *progress).state

    assert saga.claims_without_progress == 0


def test_outcome_of_a_step_begins_the_count_of_claims_anew() -> None:
    often = MAX_CLAIMS_WITHOUT_PROGRESS
    history = [*claims(1, often), A_STARTED, A_DONE, B_STARTED, *claims(often + 1, often - 1)]

    given(started(PLAIN), *history).when(with_consequences(PLAIN, take_over)).then(
        claimed(2 * often), B_STARTED
    )


def test_decided_saga_claimed_too_often_is_set_aside_and_resumed_forward() -> None:
    often = MAX_CLAIMS_WITHOUT_PROGRESS
    aside = SagaParked(often + 1, "decided to commit, but no recovery could finish it")

    parked = (
        given(started(PIVOTED), *DECIDED, *claims(2, often))
        .when(with_consequences(PIVOTED, take_over))
        .then(claimed(often + 2), aside)
    )

    parked.when(cancel).then_refused(SagaStateError, "only goes forward")
    parked.when(resume).then(RESUMED).when(with_consequences(PIVOTED, take_over)).then(
        claimed(often + 3), B_STARTED
    )
