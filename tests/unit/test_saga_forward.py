"""A saga's way to its commit: steps in order, retries, the decision."""

from __future__ import annotations

import pytest
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.history.errors import EventCorruptError
from sagaledger.domain.saga.decisions import (
    Idle,
    RunStep,
    WaitForRetry,
    advance,
    begin_retry,
    next_action,
    start_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.saga.errors import SagaRollbackRequired, SagaStateError
from sagaledger.domain.saga.events import (
    CommitDecided,
    RetryScheduled,
    RollbackRequired,
    SagaCompleted,
    SagaEvent,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.result import result_of
from sagaledger.domain.saga.state import fold_saga
from sagaledger.domain.saga.values import RollbackReason, SagaStatus
from sagaledger.domain.upload.errors import SourceNotFoundError
from sagaledger.domain.upload.events import ChunksDeleted

from tests.support.specification import (
    claimed,
    given,
    in_envelopes,
    saga_after,
    started,
    step,
    step_done,
    step_failed,
    take_over,
    with_consequences,
)

PLAIN = SagaDefinition("copy", [step("a"), step("b")])
PIVOTED = SagaDefinition("copy", [step("a"), step("b", tries=2)], pivot="b")
RETRYING = SagaDefinition("copy", [step("a", tries=3), step("b")])

A_STARTED, A_DONE = StepStarted("a", 1), StepCompleted("a", 1, {}, 0.5)
B_STARTED, B_DONE = StepStarted("b", 1), StepCompleted("b", 1, {}, 0.5)
TIMEOUT = StorageBackendError("vector", "upsert", "timeout")


def a_failed(attempt: int = 1, error: Exception = TIMEOUT) -> StepFailed:
    reason = getattr(error, "reason", RollbackReason.STEP_FAILED)
    return StepFailed("a", attempt, reason, str(error), type(error).__name__, 0.5)


def test_definition_started_gives_a_pending_saga_without_work() -> None:
    events = start_saga(PLAIN, {"source": "a.bin"}, 60.0)

    assert events == [SagaStarted("copy", 1, ("a", "b"), {"source": "a.bin"}, 60.0)]
    saga = saga_after(*events)
    assert saga.status is SagaStatus.PENDING
    assert saga.ended_us == 0
    assert advance(saga, PLAIN) == []
    assert next_action(saga, PLAIN) == Idle()


def test_pending_saga_claimed_begins_its_first_step() -> None:
    running = (
        given(started(PLAIN))
        .when(with_consequences(PLAIN, take_over))
        .then(claimed(1), A_STARTED)
        .state
    )

    assert running.status is SagaStatus.RUNNING
    assert (running.owner, running.epoch) == ("worker-1", 1)
    assert next_action(running, PLAIN) == RunStep("a", 1)


def test_saga_with_its_intent_stored_advances_no_further() -> None:
    given(started(PLAIN), claimed(), A_STARTED).when(lambda s: advance(s, PLAIN)).then()


def test_saga_without_pivot_decides_when_its_last_step_is_done() -> None:
    ended = (
        given(started(PLAIN), claimed(), A_STARTED)
        .when(step_done(PLAIN, "a"))
        .then(A_DONE, B_STARTED)
        .when(step_done(PLAIN, "b"))
        .then(B_DONE, CommitDecided(""), SagaCompleted())
    )

    assert next_action(ended.state, PLAIN) == Idle()
    assert result_of(ended.state).success
    ended.when(take_over).then_refused(SagaStateError, "has ended: completed")


def test_saga_with_pivot_decides_before_the_pivot_begins() -> None:
    (
        given(started(PIVOTED), claimed(), A_STARTED)
        .when(step_done(PIVOTED, "a"))
        .then(A_DONE, CommitDecided("b"), B_STARTED)
        .when(step_done(PIVOTED, "b"))
        .then(B_DONE, SagaCompleted())
    )


def test_pivot_at_the_beginning_decides_with_the_claim() -> None:
    definition = SagaDefinition("delete", [step("hide"), step("remove")], pivot="hide")

    given(started(definition)).when(with_consequences(definition, take_over)).then(
        claimed(1), CommitDecided("hide"), StepStarted("hide", 1)
    )


def test_step_outputs_are_kept_for_later_steps_and_the_result() -> None:
    saga = saga_after(
        started(PLAIN), claimed(), A_STARTED, StepCompleted("a", 1, {"rows": 7}, 0.5), B_STARTED
    )

    assert saga.outputs == {"a": {"rows": 7}}
    assert result_of(saga).outputs == {"a": {"rows": 7}}
    assert result_of(saga).timings_s == {"a": 0.5, "b": 0.0}


def test_step_worth_a_retry_waits_before_its_next_attempt() -> None:
    failed = a_failed()

    waiting = (
        given(started(RETRYING), claimed(), A_STARTED)
        .when(step_failed(RETRYING, "a", TIMEOUT, now_us=5_000_000))
        .then(failed, RetryScheduled("a", 2, 10.0, 15_000_000))
    )

    assert next_action(waiting.state, RETRYING) == WaitForRetry(15_000_000, 10.0)
    waiting.when(lambda s: advance(s, RETRYING)).then()
    again = waiting.when(with_consequences(RETRYING, begin_retry)).then(StepStarted("a", 2))
    assert next_action(again.state, RETRYING) == RunStep("a", 2)
    again.when(begin_retry).then()


@pytest.mark.parametrize(("jitter", "delay_s"), [(0.0, 5.0), (0.5, 10.0), (0.75, 12.5)])
def test_retry_delay_is_spread_by_chance(jitter: float, delay_s: float) -> None:
    given(started(RETRYING), claimed(), A_STARTED).when(
        step_failed(RETRYING, "a", TIMEOUT, jitter=jitter)
    ).then(a_failed(), RetryScheduled("a", 2, delay_s, round(delay_s * 1_000_000)))


def test_error_of_a_foreign_kind_is_worth_a_retry() -> None:
    error = ZeroDivisionError()
    failed = StepFailed("a", 1, "step_failed", "ZeroDivisionError", "ZeroDivisionError", 0.5)

    given(started(RETRYING), claimed(), A_STARTED).when(step_failed(RETRYING, "a", error)).then(
        failed, RetryScheduled("a", 2, 10.0, 10_000_000)
    )


def test_step_that_used_up_its_attempts_requires_rollback() -> None:
    message = f"step 'a' failed after 3 attempts: {TIMEOUT}"

    given(started(RETRYING), claimed(), StepStarted("a", 3)).when(
        step_failed(RETRYING, "a", TIMEOUT)
    ).then(a_failed(3), RollbackRequired("max_retries_exceeded", message, "a"))


def test_step_of_two_attempts_that_used_both_requires_rollback_for_that() -> None:
    definition = SagaDefinition("copy", [step("a", tries=2)])
    message = f"step 'a' failed after 2 attempts: {TIMEOUT}"

    given(started(definition), claimed(), StepStarted("a", 2)).when(
        step_failed(definition, "a", TIMEOUT)
    ).then(a_failed(2), RollbackRequired("max_retries_exceeded", message, "a"))


def test_step_without_retries_requires_rollback_for_its_own_reason() -> None:
    given(started(PLAIN), claimed(), A_STARTED).when(step_failed(PLAIN, "a", TIMEOUT)).then(
        a_failed(), RollbackRequired("storage_unavailable", str(TIMEOUT), "a")
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceNotFoundError("a.bin"), "file_not_found"),
        (StorageFullError("chunks", "write", "no space"), "storage_full"),
        (SagaRollbackRequired(RollbackReason.HASH_MISMATCH, "differs"), "hash_mismatch"),
    ],
)
def test_permanent_error_requires_rollback_at_once(error: Exception, reason: str) -> None:
    given(started(RETRYING), claimed(), A_STARTED).when(step_failed(RETRYING, "a", error)).then(
        a_failed(1, error), RollbackRequired(reason, str(error), "a")
    )


def test_definition_that_makes_no_sense_is_refused() -> None:
    wrong: list[tuple[list[SagaStep], str]] = [
        ([], ""),
        ([step("a"), step("a")], ""),
        ([step("a"), step("")], ""),
        ([step("a")], "b"),
    ]
    for steps, pivot in wrong:
        with pytest.raises(ValueError, match="saga 'copy'"):
            SagaDefinition("copy", steps, pivot=pivot)


def test_definition_knows_its_steps_by_name() -> None:
    assert PLAIN.step_names == ("a", "b")
    assert PLAIN.step("b").name == "b"
    assert SagaDefinition("copy", [step("b"), step("a")]).step("a").name == "a"
    with pytest.raises(KeyError):
        PLAIN.step("c")


def test_history_folded_in_parts_equals_the_whole() -> None:
    events: list[SagaEvent] = [started(PIVOTED), claimed(), A_STARTED, a_failed()]
    events += [RetryScheduled("a", 2, 1.0, 5), claimed(2), StepStarted("a", 2), A_DONE]
    history = in_envelopes(events)

    for cut in range(len(history) + 1):
        assert fold_saga(fold_saga(None, history[:cut]), history[cut:]) == saga_after(*events)


def test_copy_of_a_saga_is_folded_on_without_touching_it() -> None:
    saga = saga_after(started(PLAIN), claimed(), A_STARTED)
    copy = saga.copy()

    fold_saga(copy, in_envelopes([A_DONE, B_STARTED], after=saga))

    assert saga == saga_after(started(PLAIN), claimed(), A_STARTED)
    assert copy == saga_after(started(PLAIN), claimed(), A_STARTED, A_DONE, B_STARTED)


def test_commit_is_decided_before_the_pivot_and_not_before_another_step() -> None:
    given(started(PIVOTED)).when(with_consequences(PIVOTED, take_over)).then(claimed(), A_STARTED)


@pytest.mark.parametrize(
    ("history", "detail"),
    [
        ([A_STARTED], "begins with StepStarted"),
        ([started(PLAIN), claimed(), started(PLAIN)], "a second SagaStarted"),
        ([started(PLAIN), StepStarted("c", 1)], "no step 'c'"),
        ([started(PLAIN), ChunksDeleted(1, 10)], "ChunksDeleted in the history of a saga"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_history_that_contradicts_itself_is_corrupt(history: list[Event], detail: str) -> None:
    with pytest.raises(EventCorruptError, match=detail) as refused:
        fold_saga(None, in_envelopes(history))

    assert f"event {len(history)} of stream" in str(refused.value)
