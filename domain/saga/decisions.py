"""Pure decisions: from a saga's state to its next events, and to the next action of its worker.

A worker's loop: append the events of `advance`, perform the `next_action`, record the outcome.
Recovery is the same loop in another process, because nothing here depends on memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import (
    CommitDecided,
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
from sagaledger.domain.saga.state import Compensated, Saga, StepState
from sagaledger.domain.saga.values import RollbackReason, SagaStatus
from sagaledger.domain.values import Parameters

__all__ = [
    "MAX_CLAIMS_WITHOUT_PROGRESS",
    "Compensate",
    "Idle",
    "RunStep",
    "WaitForRetry",
    "Work",
    "advance",
    "begin_retry",
    "cancel_saga",
    "claim_saga",
    "complete_step",
    "fail_step",
    "next_action",
    "pause_saga",
    "require_rollback",
    "resume_saga",
    "start_saga",
]

MAX_CLAIMS_WITHOUT_PROGRESS = 5
"""The number of claims without one outcome after which the saga rolls back; the same number of
claims without progress on the rollback parks it."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """Run the action of a step whose intent is stored."""

    step: str
    attempt: int


@dataclass(frozen=True, slots=True)
class WaitForRetry:
    """Wait until the scheduled time, but at most for the scheduled delay."""

    not_before_us: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Compensate:
    """Undo a step, then probe for its residue."""

    step: str
    attempt: int
    """The number of the attempt over all rounds, from 1."""
    attempt_in_round: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do: the saga has ended, is paused, or waits for a later recovery."""


Work = RunStep | WaitForRetry | Compensate | Idle


def start_saga(
    definition: SagaDefinition, parameters: Parameters, deadline_s: float
) -> list[SagaEvent]:
    """Start a saga under this definition."""
    return [
        SagaStarted(
            definition.name, definition.version, definition.step_names, parameters, deadline_s
        )
    ]


def claim_saga(saga: Saga, owner: str, lease_s: float) -> list[SagaEvent]:
    """Claim the saga: from the next version on, appends by earlier owners conflict.

    Raises:
        SagaStateError: The saga has ended.
    """
    if not saga.status.is_open and saga.status is not SagaStatus.COMPENSATION_FAILED:
        raise SagaStateError(f"saga {saga.id.hex} has ended: {saga.status}")
    return [SagaClaimed(owner, saga.epoch + 1, lease_s)]


def cancel_saga(saga: Saga, by: str, reason: str) -> list[SagaEvent]:
    """Request a rollback.

    Raises:
        SagaStateError: The commit is decided, or the saga has ended.
    """
    if saga.decided:
        raise SagaStateError(
            f"saga {saga.id.hex} has decided to commit and only goes forward; delete the document"
        )
    if not saga.status.is_open:
        raise SagaStateError(f"saga {saga.id.hex} has ended: {saga.status}")
    return [] if saga.cancelled or saga.rollback else [SagaCancelled(by, reason)]


def pause_saga(saga: Saga, by: str) -> list[SagaEvent]:
    """Request a pause: the saga stops and undoes nothing.

    Raises:
        SagaStateError: The saga is not on its forward path, its commit is decided, or it is
            cancelled: a requested rollback must not wait for a resume.
    """
    on_forward_path = saga.status in (SagaStatus.PENDING, SagaStatus.RUNNING)
    if not on_forward_path or saga.decided or saga.cancelled:
        raise SagaStateError(f"saga {saga.id.hex} is {_stage(saga)} and cannot be paused")
    return [] if saga.paused else [SagaPaused(by)]


def resume_saga(saga: Saga, by: str) -> list[SagaEvent]:
    """Request that a paused or parked saga continues.

    Raises:
        SagaStateError: The saga has ended.
    """
    if not saga.status.is_open and saga.status is not SagaStatus.FAILED:
        raise SagaStateError(f"saga {saga.id.hex} has ended: {saga.status}")
    return [SagaResumed(by)] if saga.paused or saga.status is SagaStatus.FAILED else []


def complete_step(saga: Saga, step: str, output: Parameters, duration_s: float) -> list[SagaEvent]:
    """Record that a step's action returned."""
    return [StepCompleted(step, saga.steps[step].attempt, output, duration_s)]


def fail_step(
    saga: Saga,
    definition: SagaDefinition,
    step: str,
    error: Exception,
    *,
    duration_s: float,
    now_us: int,
    jitter: float,
) -> list[SagaEvent]:
    """Record that a step's action raised, and the consequence: another attempt, or the rollback.

    After the decision, a step without remaining attempts stays failed until a later recovery.
    """
    attempt = saga.steps[step].attempt
    reason = error.reason if isinstance(error, SagaledgerError) else RollbackReason.STEP_FAILED
    message = describe(error)
    policy = definition.step(step).retry
    events: list[SagaEvent] = [
        StepFailed(step, attempt, reason.value, message, type(error).__name__, duration_s)
    ]
    permanent = isinstance(error, SagaledgerError) and not error.retryable
    if policy.allows_another(attempt) and not permanent:
        delay_s = policy.delay_after(attempt, jitter)
        not_before_us = now_us + round(delay_s * 1_000_000)
        events.append(RetryScheduled(step, attempt + 1, delay_s, not_before_us))
    elif not saga.decided:
        if policy.max_attempts > 1 and not permanent:
            reason = RollbackReason.MAX_RETRIES_EXCEEDED
            message = f"step {step!r} failed after {attempt} attempts: {message}"
        events.append(RollbackRequired(reason.value, message, step))
    return events


def require_rollback(saga: Saga, reason: RollbackReason, message: str) -> list[SagaEvent]:
    """End the forward path for a reason that is not a step's failure.

    Returns no events if the commit is decided or the saga is not on its forward path.
    """
    if saga.decided or saga.status not in (SagaStatus.PENDING, SagaStatus.RUNNING):
        return []
    return [RollbackRequired(reason.value, message, _running_step(saga))]


def advance(saga: Saga, definition: SagaDefinition) -> list[SagaEvent]:
    """The events that follow from the state alone, up to and including the next intent."""
    if saga.status is SagaStatus.COMPENSATING:
        return _advance_rollback(saga, definition)
    if saga.status is not SagaStatus.RUNNING:
        return []
    if saga.paused and not saga.decided:
        # Checked first: claims of a paused saga, however many, never end its forward path.
        return []
    return _give_up_forward_path(saga) or _advance_forward(saga, definition)


def _give_up_forward_path(saga: Saga) -> list[SagaEvent]:
    exhausted = saga.claims_without_progress > MAX_CLAIMS_WITHOUT_PROGRESS
    if saga.decided:
        detail = "decided to commit, but no recovery could finish it"
        return [SagaParked(saga.claims_without_progress, detail)] if exhausted else []
    if saga.cancelled:
        message = f"cancelled by {saga.cancelled.by}: {saga.cancelled.reason}"
        return [RollbackRequired(RollbackReason.CANCELLED.value, message, _running_step(saga))]
    if exhausted:
        message = f"taken up {saga.claims_without_progress} times without one outcome"
        reason = RollbackReason.RECOVERY_EXHAUSTED
        return [RollbackRequired(reason.value, message, _running_step(saga))]
    return []


def _advance_forward(saga: Saga, definition: SagaDefinition) -> list[SagaEvent]:
    for name, progress in saga.steps.items():
        match progress.state:
            case StepState.COMPLETED:
                continue
            case StepState.IN_DOUBT if progress.epoch == saga.epoch:
                return []
            case StepState.IN_DOUBT | StepState.NOT_STARTED:
                attempt = max(progress.attempt, 1)
            case StepState.FAILED:
                # Scheduled: the wait comes first. After the decision, with no attempts left: a
                # new owner starts a new series, the same owner leaves the step to a later recovery.
                if saga.retry is not None or progress.epoch == saga.epoch:
                    return []
                attempt = 1
        decision = [CommitDecided(name)] if name == definition.pivot and not saga.decided else []
        return [*decision, StepStarted(name, attempt)]
    decision = [] if saga.decided else [CommitDecided("")]
    return [*decision, SagaCompleted()]


def begin_retry(saga: Saga) -> list[SagaEvent]:
    """The intent of a scheduled attempt that is due."""
    return [StepStarted(saga.retry.step, saga.retry.attempt)] if saga.retry else []


def _advance_rollback(saga: Saga, definition: SagaDefinition) -> list[SagaEvent]:
    if saga.claims_without_progress > MAX_CLAIMS_WITHOUT_PROGRESS:
        return [SagaParked(saga.claims_without_progress, "no recovery could finish the rollback")]
    if _next_compensation(saga, definition) is not None:
        return []
    touched = [n for n in saga.touched_steps if definition.step(n).leaves_traces]
    unclean = tuple(n for n in touched if not saga.compensations[n].clean)
    if unclean:
        return [SagaCompensationFailed(unclean)]
    return [SagaCompensated(tuple(n for n in touched if not saga.compensations[n].verified))]


def next_action(saga: Saga, definition: SagaDefinition) -> Work:
    """The next action of the saga's owner."""
    if saga.status is SagaStatus.COMPENSATING:
        return _next_compensation(saga, definition) or Idle()
    if saga.status is not SagaStatus.RUNNING or (saga.paused and not saga.decided):
        return Idle()
    if saga.retry is not None:
        return WaitForRetry(saga.retry.not_before_us, saga.retry.delay_s)
    step = _running_step(saga)
    return RunStep(step, saga.steps[step].attempt) if step else Idle()


def _next_compensation(saga: Saga, definition: SagaDefinition) -> Compensate | None:
    for name in saga.touched_steps:
        step = definition.step(name)
        if not step.leaves_traces:
            continue
        done = saga.compensations.get(name, Compensated())
        if not done.clean and done.attempts_in_round < step.compensation_retry.max_attempts:
            return Compensate(name, done.attempts + 1, done.attempts_in_round + 1)
    return None


def _running_step(saga: Saga) -> str:
    for name, progress in saga.steps.items():
        if progress.state is StepState.IN_DOUBT:
            return name
    return ""


def _stage(saga: Saga) -> str:
    if saga.cancelled and saga.status in (SagaStatus.PENDING, SagaStatus.RUNNING):
        return "cancelled"
    return "decided to commit" if saga.decided and saga.status.is_open else saga.status.value
