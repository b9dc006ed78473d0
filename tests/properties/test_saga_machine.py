"""A saga under any outcomes, crashes and requests, held against what must always be true.

The rules play the worker and the people around it; the decisions are the real ones, nothing else
is. Each rule's events are folded in together with all that follows, as a journal stores them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.decisions import (
    MAX_CLAIMS_WITHOUT_PROGRESS,
    Compensate,
    Idle,
    RunStep,
    WaitForRetry,
    advance,
    begin_retry,
    cancel_saga,
    next_action,
    pause_saga,
    require_rollback,
    resume_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RollbackRequired,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaEvent,
    StepCompleted,
    StepStarted,
)
from sagaledger.domain.saga.state import Saga, StepState, fold_saga
from sagaledger.domain.saga.values import Residue, RollbackReason, SagaStatus
from sagaledger.domain.upload.errors import SourceNotFoundError

from tests.support.specification import (
    SagaDecision,
    in_envelopes,
    saga_after,
    started,
    step,
    step_done,
    step_failed,
    take_over,
    with_consequences,
)

LEFT = Residue("vector", "doc-1", 3)
ERRORS = (StorageBackendError("vector", "upsert", "timeout"), SourceNotFoundError("a"), OSError())
OPEN_OR_UNCLEAN = (SagaStatus.RUNNING, SagaStatus.COMPENSATING, SagaStatus.COMPENSATION_FAILED)


@st.composite
def definitions(draw: st.DrawFn) -> SagaDefinition:
    """One to six steps of any shape, with or without a pivot."""
    names = "abcdef"[: draw(st.integers(1, 6))]
    steps = [
        step(
            name,
            tries=draw(st.integers(1, 3)),
            undo=draw(st.booleans()),
            probe=draw(st.booleans()),
            undo_tries=draw(st.integers(1, 2)),
        )
        for name in names
    ]
    return SagaDefinition("any", steps, pivot=draw(st.sampled_from(["", *names])))


def undo_outcomes(tried: SagaStep, attempt: int) -> list[CompensationAttempted]:
    """All that an undo of this step can come to, the clean one first."""

    def outcome(left: tuple[Residue, ...], error: str, probed: bool) -> CompensationAttempted:
        return CompensationAttempted(tried.name, attempt, 1, left, error, probed, 0.1)

    errors = ["", "busy"] if tried.compensation else [""]
    if tried.residue is None:
        outcomes = [outcome((), error, False) for error in errors]
        return [*outcomes, outcome((LEFT,), "busy", False)]
    probed = [outcome(left, error, True) for left in ((), (LEFT,)) for error in errors]
    # A probe that does not answer leaves the worst to be assumed.
    return [*probed, *(outcome((LEFT,), error, False) for error in errors)]


def is_clean(attempted: CompensationAttempted) -> bool:
    return not attempted.residue and (attempted.probed or not attempted.error)


class SagaMachine(RuleBasedStateMachine):
    """One saga, its present owner, and people with requests."""

    @initialize(definition=definitions())
    def start(self, definition: SagaDefinition) -> None:
        self.definition = definition
        self.history: list[SagaEvent] = [started(definition)]
        self.saga = saga_after(*self.history)
        self.running: RunStep | None = None
        self.record(take_over)

    def record(self, decision: Callable[[Saga], list[SagaEvent]]) -> None:
        """The owner stores what it decides, and turns to what is to be done now."""
        self.request(with_consequences(self.definition, decision))
        work = next_action(self.saga, self.definition)
        self.running = work if isinstance(work, RunStep) else None
        assert advance(self.saga, self.definition) == []

    def request(self, decision: SagaDecision) -> None:
        """Events reach the log; the owner has not seen them yet."""
        events = decision(self.saga)
        fold_saga(self.saga, in_envelopes(events, after=self.saga))
        self.history += events

    def is_to(self, kind: type[WaitForRetry] | type[Compensate]) -> bool:
        return isinstance(next_action(self.saga, self.definition), kind)

    @precondition(lambda self: self.running)
    @rule()
    def complete_the_step(self) -> None:
        assert self.running is not None
        self.record(step_done(self.definition, self.running.step))

    @precondition(lambda self: self.running)
    @rule(error=st.sampled_from(ERRORS), jitter=st.floats(0, 1, exclude_max=True))
    def fail_the_step(self, error: Exception, jitter: float) -> None:
        assert self.running is not None
        self.record(step_failed(self.definition, self.running.step, error, jitter=jitter))

    @precondition(lambda self: self.is_to(WaitForRetry))
    @rule()
    def begin_the_retry(self) -> None:
        self.record(begin_retry)

    @precondition(lambda self: self.is_to(WaitForRetry))
    @rule()
    def run_out_of_time(self) -> None:
        reason = RollbackReason.DEADLINE_EXCEEDED
        self.record(lambda saga: require_rollback(saga, reason, "late"))

    @precondition(lambda self: self.is_to(Compensate))
    @rule(data=st.data())
    def undo_a_step(self, data: st.DataObject) -> None:
        work = next_action(self.saga, self.definition)
        assert isinstance(work, Compensate)
        outcomes = undo_outcomes(self.definition.step(work.step), work.attempt)
        attempted = data.draw(st.sampled_from(outcomes))
        self.record(lambda _: [attempted])

    @precondition(lambda self: self.saga.status in OPEN_OR_UNCLEAN)
    @rule()
    def crash_and_be_taken_over(self) -> None:
        self.record(take_over)

    @precondition(lambda self: self.saga.status in OPEN_OR_UNCLEAN)
    @rule()
    def crash_again_and_again(self) -> None:
        for _ in range(MAX_CLAIMS_WITHOUT_PROGRESS + 1):
            if self.saga.status in OPEN_OR_UNCLEAN:
                self.record(take_over)

    @precondition(lambda self: self.running and self.saga.paused)
    @rule()
    def notice_the_pause(self) -> None:
        self.running = None

    @rule()
    def cancel(self) -> None:
        if self.saga.decided or not self.saga.status.is_open:
            with pytest.raises(SagaStateError):
                cancel_saga(self.saga, "ann", "")
        else:
            self.request(lambda saga: cancel_saga(saga, "ann", ""))
            assert self.saga.cancelled or self.saga.rollback

    @rule()
    def pause(self) -> None:
        saga = self.saga
        if saga.decided or saga.cancelled or saga.status is not SagaStatus.RUNNING:
            with pytest.raises(SagaStateError):
                pause_saga(saga, "ann")
        else:
            self.request(lambda saga: pause_saga(saga, "ann"))
            assert next_action(saga, self.definition) == Idle()

    @rule()
    def resume(self) -> None:
        if self.saga.status.is_open or self.saga.status is SagaStatus.FAILED:
            self.request(lambda saga: resume_saga(saga, "ann"))
            assert self.saga.status.is_open
            assert not self.saga.paused
        else:
            with pytest.raises(SagaStateError):
                resume_saga(self.saga, "ann")

    def times(self, kind: type[SagaEvent]) -> list[int]:
        return [index for index, event in enumerate(self.history) if isinstance(event, kind)]

    @invariant()
    def state_is_what_its_history_tells(self) -> None:
        assert saga_after(*self.history) == self.saga

    @invariant()
    def at_most_one_step_is_in_doubt(self) -> None:
        states = [progress.state for progress in self.saga.steps.values()]

        assert states.count(StepState.IN_DOUBT) <= 1

    @invariant()
    def steps_begin_in_order_and_within_their_tries(self) -> None:
        done: list[str] = []
        for event in self.history:
            if isinstance(event, StepStarted):
                assert event.step == self.definition.step_names[len(done)]
                assert event.attempt <= self.definition.step(event.step).retry.max_attempts
            elif isinstance(event, StepCompleted):
                done.append(event.step)
            elif isinstance(event, SagaCompleted):
                assert tuple(done) == self.definition.step_names

    @invariant()
    def commit_is_decided_once_before_the_pivot_or_there_is_a_rollback(self) -> None:
        decided, rolled_back = self.times(CommitDecided), self.times(RollbackRequired)

        assert len(decided) + len(rolled_back) <= 1
        for index, event in enumerate(self.history):
            if isinstance(event, StepStarted):
                assert not rolled_back or index < rolled_back[0]
                names = self.definition.step_names
                if names.index(event.step) >= names.index(self.definition.pivot or names[-1]):
                    assert not self.definition.pivot or decided[0] < index
            elif isinstance(event, SagaCompleted):
                assert decided[0] < index

    @invariant()
    def each_round_of_the_rollback_goes_last_to_first_within_its_tries(self) -> None:
        names = self.definition.step_names
        tried: list[str] = []
        for event in self.history:
            if isinstance(event, SagaCompensationFailed):
                tried.clear()
            elif isinstance(event, CompensationAttempted):
                assert not tried or names.index(event.step) <= names.index(tried[-1])
                tried.append(event.step)
                limit = self.definition.step(event.step).compensation_retry.max_attempts
                assert tried.count(event.step) <= limit

    @invariant()
    def rollback_ends_with_every_touched_step_tried_and_says_what_is_clean(self) -> None:
        touched: dict[str, None] = {}
        last: dict[str, CompensationAttempted] = {}
        for event in self.history:
            if isinstance(event, StepStarted) and self.definition.step(event.step).leaves_traces:
                touched[event.step] = None
            elif isinstance(event, CompensationAttempted):
                last[event.step] = event
            elif isinstance(event, SagaCompensated):
                assert set(last) == set(touched)
                assert all(is_clean(attempted) for attempted in last.values())
                assert set(event.unverified) == {n for n in last if not last[n].probed}
            elif isinstance(event, SagaCompensationFailed):
                assert set(last) == set(touched)
                assert set(event.steps) == {n for n in last if not is_clean(last[n])}

    @invariant()
    def saga_without_work_has_ended_or_waits_for_somebody(self) -> None:
        state, events = self.saga.copy(), list[SagaEvent]()
        for _ in range(10):
            events = advance(state, self.definition)
            fold_saga(state, in_envelopes(events, after=state))
        assert not events

        if not state.status.is_open:
            assert next_action(state, self.definition) == Idle()
        elif next_action(state, self.definition) == Idle():
            given_up = any(p.state is StepState.FAILED for p in state.steps.values())
            assert state.paused or (state.decided and given_up)

    @invariant()
    def saga_ends_once_all_goes_well(self) -> None:
        saga = self.saga.copy()
        for _ in range(4 * len(saga.steps) + 5):
            if saga.status in (SagaStatus.COMPLETED, SagaStatus.COMPENSATED):
                break
            decision = next_move(saga, self.definition)
            events = with_consequences(self.definition, decision)(saga)
            fold_saga(saga, in_envelopes(events, after=saga))

        must_be_undone = self.saga.rollback or self.saga.cancelled
        assert saga.status in (SagaStatus.COMPLETED, SagaStatus.COMPENSATED)
        assert saga.status is not SagaStatus.COMPENSATED or not self.saga.decided
        assert saga.status is not SagaStatus.COMPLETED or not must_be_undone


def next_move(saga: Saga, definition: SagaDefinition) -> SagaDecision:
    """What people and workers do when everything works."""
    if saga.paused or saga.status is SagaStatus.FAILED:
        return lambda saga: resume_saga(saga, "ann")
    match next_action(saga, definition):
        case RunStep(name, _) if saga.steps[name].epoch == saga.epoch:
            return step_done(definition, name)
        case WaitForRetry():
            return begin_retry
        case Compensate(name, attempt, _):
            clean = undo_outcomes(definition.step(name), attempt)[0]
            return lambda _: [clean]
        case _:
            return take_over


TestSaga = SagaMachine.TestCase
TestSaga.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
