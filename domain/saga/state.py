"""The state of the saga aggregate, folded from its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any, assert_never
from uuid import UUID

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import EventCorruptError
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaCancelled,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaEvent,
    SagaParked,
    SagaPaused,
    SagaResumed,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.values import Parameters

__all__ = ["Compensated", "Saga", "StepProgress", "StepState", "fold_saga"]


class StepState(StrEnum):
    """The state of a step. After a crash, a running step is `IN_DOUBT` as well."""

    NOT_STARTED = "not_started"
    IN_DOUBT = "in_doubt"
    FAILED = "failed"
    COMPLETED = "completed"


@dataclass(slots=True)
class StepProgress:
    """The progress of the forward path on one step."""

    state: StepState = StepState.NOT_STARTED
    attempt: int = 0
    epoch: int = 0
    """The claim under which it was last started."""
    output: Parameters = field(default_factory=dict)
    duration_s: float = 0.0
    error: str = ""

    def copy(self) -> StepProgress:
        """A copy: each decision is applied to copies of all steps."""
        return StepProgress(
            self.state, self.attempt, self.epoch, self.output, self.duration_s, self.error
        )


@dataclass(slots=True)
class Compensated:
    """The progress of the rollback on one step."""

    attempts: int = 0
    attempts_in_round: int = 0
    removed: int = 0
    residue: tuple[Residue, ...] = ()
    error: str = ""
    clean: bool = False
    verified: bool = False
    duration_s: float = 0.0


@dataclass(slots=True)
class Saga:
    """One saga, folded from its events."""

    id: UUID
    version: int
    definition: str
    definition_version: int
    steps: dict[str, StepProgress]
    parameters: Parameters
    deadline_s: float
    started_us: int
    status: SagaStatus = SagaStatus.PENDING
    epoch: int = 0
    owner: str = ""
    claims_without_progress: int = 0
    decided: bool = False
    paused: bool = False
    cancelled: SagaCancelled | None = None
    retry: RetryScheduled | None = None
    rollback: RollbackRequired | None = None
    compensations: dict[str, Compensated] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    parked: SagaParked | None = None
    ended_us: int = 0
    active_us: int = 0
    """The working time on the saga so far, for the deadline."""
    last_us: int = 0
    errors: list[str] = field(default_factory=list)

    def copy(self) -> Saga:
        """A copy; applying events to it does not change this one."""
        copied = Saga(*_values_of(self))
        copied.steps = {name: progress.copy() for name, progress in self.steps.items()}
        copied.compensations = {name: replace(c) for name, c in self.compensations.items()}
        copied.errors = list(self.errors)
        return copied

    @property
    def outputs(self) -> dict[str, Parameters]:
        """The output of each completed step."""
        return {
            name: progress.output
            for name, progress in self.steps.items()
            if progress.state is StepState.COMPLETED
        }

    @property
    def touched_steps(self) -> list[str]:
        """The started steps, last first: the order of a rollback."""
        begun = [n for n, p in self.steps.items() if p.state is not StepState.NOT_STARTED]
        return begun[::-1]

    @property
    def residue(self) -> tuple[Residue, ...]:
        """The residue of the last attempt of each compensation."""
        return tuple(r for c in self.compensations.values() for r in c.residue)

    @property
    def compensation_errors(self) -> list[str]:
        """The last error of each step that is not proven undone."""
        return [f"{n}: {c.error}" for n, c in self.compensations.items() if not c.clean and c.error]


# Each decision copies the saga: `dataclasses.replace` takes four times as long.
_values_of: Callable[[Saga], tuple[Any, ...]] = attrgetter(*(field.name for field in fields(Saga)))


def fold_saga(saga: Saga | None, recorded: Iterable[RecordedEvent]) -> Saga | None:
    """Fold these events into the saga.

    Raises:
        EventCorruptError: An event cannot belong to this saga.
    """
    for item in recorded:
        event = item.event
        if saga is None:
            saga = _begin(item)
        elif isinstance(event, SagaEvent):
            _keep_time(saga, item)
            _apply(saga, event, item.at_us)
            saga.version = item.originator_version
        else:
            raise _corrupt(saga, f"{type(event).__name__} in the history of a saga")
    return saga


def _begin(item: RecordedEvent) -> Saga:
    event = item.event
    if not isinstance(event, SagaStarted):
        detail = f"a saga's history begins with {type(event).__name__}"
        raise EventCorruptError(item.originator_id.hex, item.originator_version, detail)
    return Saga(
        id=item.originator_id,
        version=item.originator_version,
        definition=event.definition,
        definition_version=event.definition_version,
        steps={name: StepProgress() for name in event.steps},
        parameters=event.parameters,
        deadline_s=event.deadline_s,
        started_us=item.at_us,
        last_us=item.at_us,
    )


def _corrupt(saga: Saga, detail: str) -> EventCorruptError:
    return EventCorruptError(saga.id.hex, saga.version + 1, detail)


def _keep_time(saga: Saga, item: RecordedEvent) -> None:
    # A request may be stored while no worker drives the saga: it proves no working time.
    if isinstance(item.event, SagaCancelled | SagaPaused | SagaResumed):
        return
    # A claim starts a working period; the time before it was spent without a worker. A wall clock
    # that was set back must not shorten the total.
    if not isinstance(item.event, SagaClaimed):
        saga.active_us += max(0, item.at_us - saga.last_us)
    saga.last_us = item.at_us


def _apply(saga: Saga, event: SagaEvent, at_us: int) -> None:
    match event:
        case StepStarted() | StepCompleted() | StepFailed() | RetryScheduled():
            _apply_step(saga, event)
        case SagaClaimed():
            _apply_claim(saga, event)
        case RollbackRequired():
            saga.status = SagaStatus.COMPENSATING
            saga.rollback = event
            saga.retry = None
            # Only the forward path can be paused.
            saga.paused = False
            saga.claims_without_progress = 0
            saga.errors.append(event.message)
        case CompensationAttempted():
            _apply_compensation(saga, event)
        case CommitDecided():
            saga.decided = True
        case SagaCompleted():
            _end(saga, SagaStatus.COMPLETED, at_us)
        case SagaCompensated():
            saga.unverified = event.unverified
            _end(saga, SagaStatus.COMPENSATED, at_us)
        case SagaCompensationFailed():
            _end(saga, SagaStatus.COMPENSATION_FAILED, at_us)
        case SagaParked():
            saga.parked = event
            _end(saga, SagaStatus.FAILED, at_us)
        case SagaCancelled():
            saga.cancelled = event
            saga.paused = False
        case SagaPaused():
            saga.paused = True
        case SagaResumed():
            _apply_resumed(saga)
        case SagaStarted():
            raise _corrupt(saga, "a second SagaStarted")
        case _:
            assert_never(event)


def _apply_step(
    saga: Saga, event: StepStarted | StepCompleted | StepFailed | RetryScheduled
) -> None:
    progress = saga.steps.get(event.step)
    if progress is None:
        raise _corrupt(saga, f"the saga has no step {event.step!r}")
    match event:
        case StepStarted():
            progress.state = StepState.IN_DOUBT
            progress.attempt = event.attempt
            progress.epoch = saga.epoch
            saga.retry = None
        case StepCompleted():
            progress.state = StepState.COMPLETED
            progress.output = event.output
            progress.duration_s += event.duration_s
            progress.error = ""
            saga.claims_without_progress = 0
        case StepFailed():
            progress.state = StepState.FAILED
            progress.duration_s += event.duration_s
            progress.error = event.error
            saga.claims_without_progress = 0
        case RetryScheduled():
            saga.retry = event
        case _:
            assert_never(event)


def _apply_claim(saga: Saga, event: SagaClaimed) -> None:
    saga.owner, saga.epoch = event.owner, event.epoch
    saga.claims_without_progress += 1
    if saga.status is SagaStatus.PENDING:
        saga.status = SagaStatus.RUNNING
    elif saga.status is SagaStatus.COMPENSATION_FAILED:
        # A claim of a failed rollback starts a new round for every step that is not proven undone.
        saga.status = SagaStatus.COMPENSATING
        saga.ended_us = 0
        for compensated in saga.compensations.values():
            compensated.attempts_in_round = 0


def _apply_compensation(saga: Saga, event: CompensationAttempted) -> None:
    compensated = saga.compensations.setdefault(event.step, Compensated())
    compensated.attempts += 1
    compensated.attempts_in_round += 1
    compensated.removed += event.removed
    compensated.residue = event.residue
    compensated.error = event.error
    compensated.verified = event.probed
    compensated.clean = not event.residue and (event.probed or not event.error)
    compensated.duration_s += event.duration_s
    saga.claims_without_progress = 0


def _apply_resumed(saga: Saga) -> None:
    saga.paused = False
    saga.claims_without_progress = 0
    if saga.status is SagaStatus.FAILED:
        saga.status = SagaStatus.COMPENSATING if saga.rollback else SagaStatus.RUNNING
        saga.parked = None
        saga.ended_us = 0


def _end(saga: Saga, status: SagaStatus, at_us: int) -> None:
    saga.status = status
    saga.ended_us = at_us
    saga.claims_without_progress = 0
