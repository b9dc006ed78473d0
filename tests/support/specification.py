"""`given(events).when(decision).then(events)` for the decisions on sagas and uploads.

The given events are folded into state through their envelopes, as a repository would do it. The
decision is run on that state, must leave it as it was, and what it returned is folded on, so that
a specification can go on with another `when`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast, overload
from uuid import UUID

import pytest
from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.decisions import (
    advance,
    claim_saga,
    complete_step,
    fail_step,
    start_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep, StepContext
from sagaledger.domain.saga.events import SagaClaimed, SagaEvent, SagaStarted
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.events import UploadEvent, UploadStarted
from sagaledger.domain.upload.state import Upload, fold_upload
from sagaledger.domain.values import Parameters

__all__ = [
    "STREAM_ID",
    "SagaDecision",
    "Specification",
    "claimed",
    "given",
    "in_envelopes",
    "saga_after",
    "started",
    "step",
    "step_done",
    "step_failed",
    "take_over",
    "upload_after",
    "with_consequences",
]

STREAM_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
LEASE_S = 30.0

SagaDecision: TypeAlias = Callable[[Saga], list[SagaEvent]]
State = TypeVar("State")
AnyEvent = TypeVar("AnyEvent", bound=Event)


def in_envelopes(
    events: Sequence[Event], *, at_s: Sequence[float] | None = None, after: Saga | None = None
) -> list[RecordedEvent]:
    """The events as one stream's; `at_s` are their times, else there is one each second."""
    version, epoch = (after.version, after.epoch) if after else (0, 0)
    times = at_s if at_s is not None else range(version + 1, version + 1 + len(events))
    recorded = []
    for number, (event, time) in enumerate(zip(events, times, strict=True), version + 1):
        if isinstance(event, SagaClaimed):
            epoch = event.epoch
        at_us = round(time * 1_000_000)
        recorded.append(RecordedEvent(STREAM_ID, number, at_us, "worker", epoch, event))
    return recorded


def saga_after(*history: SagaEvent, at_s: Sequence[float] | None = None) -> Saga:
    """The saga that these events tell of."""
    saga = fold_saga(None, in_envelopes(history, at_s=at_s))
    assert saga is not None
    return saga


def upload_after(*history: UploadEvent) -> Upload:
    """The upload that these events tell of."""
    upload = fold_upload(None, in_envelopes(history))
    assert upload is not None
    return upload


def with_consequences(
    definition: SagaDefinition, decision: Callable[[Saga], Sequence[SagaEvent]]
) -> SagaDecision:
    """The decision and all that follows from it, as a worker stores them in one transaction."""

    def decide(saga: Saga) -> list[SagaEvent]:
        state = saga.copy()
        decided: list[SagaEvent] = []
        events = list(decision(state))
        while events:
            decided += events
            fold_saga(state, in_envelopes(events, after=state))
            events = advance(state, definition)
        return decided

    return decide


@dataclass(frozen=True, slots=True)
class Specification(Generic[State, AnyEvent]):
    """A history, and what follows from it."""

    history: tuple[AnyEvent, ...]
    fold: Callable[..., State]

    @property
    def state(self) -> State:
        """What the history amounts to."""
        return self.fold(*self.history)

    def when(self, decision: Callable[[State], Sequence[AnyEvent]]) -> _Decision[State, AnyEvent]:
        """The decision to be taken on the history's state."""
        return _Decision(self, decision)


@dataclass(frozen=True, slots=True)
class _Decision(Generic[State, AnyEvent]):
    given: Specification[State, AnyEvent]
    decision: Callable[[State], Sequence[AnyEvent]]

    def then(self, *expected: AnyEvent) -> Specification[State, AnyEvent]:
        """It returns exactly these events, and changes nothing itself."""
        state = self.given.state
        events = tuple(self.decision(state))
        assert events == expected
        assert state == self.given.state, "a decision must not change the state"
        return Specification((*self.given.history, *events), self.given.fold)

    def then_refused(self, error: type[SagaledgerError], message: str) -> None:
        """It raises this error, and changes nothing."""
        state = self.given.state
        with pytest.raises(error, match=message):
            self.decision(state)
        assert state == self.given.state, "a decision must not change the state"


@overload
def given(first: SagaStarted, /, *then: SagaEvent) -> Specification[Saga, SagaEvent]: ...
@overload
def given(first: UploadStarted, /, *then: UploadEvent) -> Specification[Upload, UploadEvent]: ...
def given(
    first: SagaStarted | UploadStarted, /, *then: SagaEvent | UploadEvent
) -> Specification[Saga, SagaEvent] | Specification[Upload, UploadEvent]:
    """The history that a specification begins with."""
    history = (first, *then)
    if isinstance(first, SagaStarted):
        return Specification(cast("tuple[SagaEvent, ...]", history), saga_after)
    return Specification(cast("tuple[UploadEvent, ...]", history), upload_after)


def step(
    name: str, *, tries: int = 1, undo: bool = True, probe: bool = True, undo_tries: int = 2
) -> SagaStep:
    """A step of which only the shape matters: its functions are never called."""
    return SagaStep(
        name,
        action=_never_called,
        compensation=_never_called if undo else None,
        residue=_never_asked if probe else None,
        retry=RetryPolicy(tries, delay_s=10.0, jitter=0.5),
        compensation_retry=RetryPolicy(undo_tries),
    )


def started(definition: SagaDefinition, deadline_s: float = 0.0) -> SagaStarted:
    """The first event of a saga under this definition."""
    (event,) = start_saga(definition, {"source": "a.bin"}, deadline_s)
    assert isinstance(event, SagaStarted)
    return event


def claimed(epoch: int = 1) -> SagaClaimed:
    """The claim of the worker of that epoch."""
    return SagaClaimed(f"worker-{epoch}", epoch, LEASE_S)


def take_over(saga: Saga) -> list[SagaEvent]:
    """The claim of the next worker."""
    return claim_saga(saga, f"worker-{saga.epoch + 1}", LEASE_S)


def step_done(
    definition: SagaDefinition, name: str, output: Parameters | None = None
) -> SagaDecision:
    """A worker's record that the action returned, with all that follows."""
    return with_consequences(definition, lambda saga: complete_step(saga, name, output or {}, 0.5))


def step_failed(
    definition: SagaDefinition, name: str, error: Exception, *, jitter: float = 0.5, now_us: int = 0
) -> SagaDecision:
    """A worker's record that the action raised, with all that follows."""

    def decide(saga: Saga) -> list[SagaEvent]:
        return fail_step(
            saga, definition, name, error, duration_s=0.5, now_us=now_us, jitter=jitter
        )

    return with_consequences(definition, decide)


def _never_called(context: StepContext) -> None:
    raise AssertionError("the decisions are pure")


def _never_asked(context: StepContext) -> Iterable[Residue]:
    raise AssertionError("the decisions are pure")
