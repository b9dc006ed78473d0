"""Drives sagas: one loop for a new saga, a resume, a rollback and a recovery."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, assert_never
from uuid import UUID

from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.journal import Decision, SagaJournal
from sagaledger.application.engine.lease_keeper import LeaseKeeper
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.engine.step_context import Checkpoint, RunningStep
from sagaledger.domain.errors import StorageFullError, describe
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import EventSerializationError, VersionConflictError
from sagaledger.domain.saga.decisions import (
    Compensate,
    Idle,
    RunStep,
    WaitForRetry,
    begin_retry,
    claim_saga,
    complete_step,
    fail_step,
    next_action,
    require_rollback,
    start_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.saga.errors import (
    CompensationError,
    LeaseHeldError,
    LeaseLostError,
    SagaCancelledError,
    SagaPausedError,
    WorkerStoppedError,
)
from sagaledger.domain.saga.events import CompensationAttempted, SagaEvent
from sagaledger.domain.saga.progress import Progress
from sagaledger.domain.saga.result import SagaExecutionResult, result_of
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.saga.values import Residue, RollbackReason
from sagaledger.domain.values import Parameters

if TYPE_CHECKING:
    from sagaledger.domain.ports.ballast import Ballast
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.lease_store import LeaseStore

__all__ = ["Orchestrator"]

_logger = logging.getLogger(__name__)
_WAIT_SLICE_S = 0.1
_MAX_COUNT = 2**63 - 1
"""The largest integer that an event can hold."""


@dataclass(slots=True)
class Orchestrator:
    """Starts sagas and drives each until it ends, pauses, or another worker owns it.

    Thread-safe: many threads may each drive a different saga.
    """

    log: EventStore
    clock: Clock
    leases: LeaseStore
    keeper: LeaseKeeper
    definitions: DefinitionRegistry
    reserve: Ballast
    worker: str
    jitter: Callable[[], float]
    """The random source for the jitter of retry delays; returns values in [0, 1)."""
    stopping: Event = field(default_factory=Event)
    """If set, every drive ends at its next checkpoint and undoes nothing."""
    admit: Callable[[Saga], None] = lambda _: None
    """Called under the lease, with the current saga, before the saga is claimed. If it raises, the
    saga is not claimed and nothing is stored."""

    def run(
        self,
        saga_id: UUID,
        definition: SagaDefinition,
        parameters: Parameters,
        *,
        deadline_s: float | None = None,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> SagaExecutionResult:
        """Start a saga under this id and drive it.

        Raises:
            VersionConflictError: A saga with this id exists.
            StorageBackendError: The log cannot be written; earlier records remain valid.
            LeaseLostError: Another worker claimed the saga.
        """
        begun = self._stamp().envelopes(
            saga_id, 0, 0, start_saga(definition, parameters, deadline_s or 0.0)
        )
        saga = fold_saga(None, begun)
        assert saga is not None, "the first event of a saga must be SagaStarted"
        with self.keeper.hold(saga_id):
            return self._drive(saga, begun, definition, report)

    def drive(
        self, saga_id: UUID, report: Callable[[Progress], None] = lambda _: None
    ) -> SagaExecutionResult:
        """Claim an existing saga and drive it.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: The saga has ended.
            LeaseHeldError: Another living worker drives the saga.
            LeaseLostError: Another worker claimed the saga in the meantime.
            DefinitionUnknownError: The saga's definition is not registered.
            DefinitionMismatchError: The definition is registered with other steps.
            StorageBackendError: The log cannot be written; earlier records remain valid.
        """
        try:
            with self.keeper.hold(saga_id):
                # Read under the lease: from here no other worker continues the saga.
                saga = load_saga(self.log, saga_id)
                self.admit(saga)
                definition = self.definitions.definition_of(saga)
                return self._drive(saga, (), definition, report)
        except LeaseHeldError:
            # The holder of the lease of an ended saga does nothing with it.
            claim_saga(load_saga(self.log, saga_id), self.leases.owner, self.keeper.ttl_s)
            raise

    def _stamp(self) -> EnvelopeFactory:
        return EnvelopeFactory(self.clock, self.worker)

    def _drive(
        self,
        saga: Saga,
        unstored: Sequence[RecordedEvent],
        definition: SagaDefinition,
        report: Callable[[Progress], None],
    ) -> SagaExecutionResult:
        journal = SagaJournal(self.log, self._stamp(), definition, saga, self.reserve, unstored)
        journal.claim(lambda s: claim_saga(s, self.leases.owner, self.keeper.ttl_s))
        checkpoint = Checkpoint(journal, self.clock, self.leases, self.stopping)
        try:
            _Drive(self, journal, definition, checkpoint, report).to_the_end()
        except WorkerStoppedError:
            _logger.info("stopped driving saga %s; a recovery continues it", saga.id.hex)
        return result_of(journal.saga)


@dataclass(slots=True)
class _Drive:
    """The work of one claim on one saga."""

    orchestrator: Orchestrator
    journal: SagaJournal
    definition: SagaDefinition
    checkpoint: Checkpoint
    report: Callable[[Progress], None]

    def to_the_end(self) -> None:
        while True:
            work = next_action(self.journal.saga, self.definition)
            match work:
                case RunStep():
                    self._run_step(work)
                case WaitForRetry():
                    self._wait(work)
                case Compensate():
                    self._compensate(work)
                case Idle():
                    return
                case _:
                    assert_never(work)

    def _run_step(self, work: RunStep) -> None:
        step = self.definition.step(work.step)
        began_s = self._now_s()
        context = self._context(step, work.attempt, self.checkpoint.forward)
        try:
            self.checkpoint.forward()
            output = dict(step.action(context) or {})
        except (LeaseLostError, WorkerStoppedError):
            raise
        except SagaPausedError:
            # The log already holds the pause, so the next action is Idle.
            return
        except Exception as error:  # noqa: BLE001 - it becomes a StepFailed event
            duration_s = self._now_s() - began_s
            self._record_failure(step, error, duration_s)
            return
        duration_s = self._now_s() - began_s
        try:
            self._record_forward(lambda saga: complete_step(saga, step.name, output, duration_s))
        except EventSerializationError as error:
            # The step did not return plain data. Its effect exists and must be undone.
            self._record_failure(step, error, duration_s)
        except VersionConflictError as error:
            # A stream with staged events has advanced: discard the staged events.
            self.journal.discard_staged(even_on_failure=True)
            self._record_failure(step, error, duration_s)

    def _record_forward(self, decision: Callable[[Saga], list[SagaEvent]]) -> None:
        try:
            self.journal.record(decision)
        except StorageFullError as error:
            if self.journal.saga.decided:
                raise
            # No room for the next intent: from here only the rollback is recorded.
            message = f"the event log is full: {describe(error)}"
            self._record_unsuccessful(
                lambda saga: require_rollback(saga, RollbackReason.STORAGE_FULL, message)
            )

    def _record_failure(self, step: SagaStep, error: Exception, duration_s: float) -> None:
        jitter = self.orchestrator.jitter()

        def failed(saga: Saga) -> list[SagaEvent]:
            return fail_step(
                saga,
                self.definition,
                step.name,
                error,
                duration_s=duration_s,
                now_us=self.orchestrator.clock.now_us(),
                jitter=jitter,
            )

        self._record_unsuccessful(failed)

    def _record_unsuccessful(self, decision: Decision) -> None:
        """Record a failed step or undo, with those staged events that are true in spite of it."""
        self.journal.discard_staged(even_on_failure=False)
        try:
            self.journal.record(decision)
        except (VersionConflictError, EventSerializationError):
            # A stream with staged events has advanced, or a staged event is not plain data.
            self.journal.discard_staged(even_on_failure=True)
            self.journal.record(decision)

    def _wait(self, work: WaitForRetry) -> None:
        clock = self.orchestrator.clock
        # The scheduled time is wall-clock time, so that it survives a restart. A clock that was set
        # back must not make the wait longer than scheduled.
        left_s = min((work.not_before_us - clock.now_us()) / 1_000_000, work.delay_s)
        try:
            self._sleep(left_s, self.checkpoint.forward)
        except SagaCancelledError as error:
            reason, message = error.reason, str(error)
            self.journal.record(lambda saga: require_rollback(saga, reason, message))
            return
        except SagaPausedError:
            return
        self._record_forward(begin_retry)

    def _sleep(self, seconds: float, check: Callable[[], None]) -> None:
        clock = self.orchestrator.clock
        until_s = clock.monotonic_s() + seconds
        check()
        while (left_s := until_s - clock.monotonic_s()) > 0:
            clock.sleep(min(left_s, _WAIT_SLICE_S))
            check()

    def _compensate(self, work: Compensate) -> None:
        step = self.definition.step(work.step)
        if work.attempt_in_round > 1:
            delay_s = step.compensation_retry.delay_after(
                work.attempt_in_round - 1, self.orchestrator.jitter()
            )
            self._sleep(delay_s, self.checkpoint.held)
        self.checkpoint.held()
        began_s = self._now_s()
        context = self._context(step, work.attempt, self.checkpoint.held)
        removed, error, known = self._undo(step, context)
        residue, probed, unanswered = self._probe(step, context, known)
        duration_s = self._now_s() - began_s
        attempted = CompensationAttempted(
            step.name,
            work.attempt,
            removed,
            residue,
            "; ".join(filter(None, (error, unanswered))),
            probed,
            duration_s,
        )
        self._record_attempt(attempted)

    def _record_attempt(self, attempted: CompensationAttempted) -> None:
        if attempted.failure:
            self._record_unsuccessful(lambda _: [attempted])
            return
        try:
            self.journal.record(lambda _: [attempted])
        except (VersionConflictError, EventSerializationError) as error:
            # The events that the undo staged cannot be stored.
            failed = replace(attempted, error=f"{type(error).__name__}: {describe(error)}")
            self._record_unsuccessful(lambda _: [failed])

    def _undo(self, step: SagaStep, context: RunningStep) -> tuple[int, str, tuple[Residue, ...]]:
        if step.compensation is None:
            return 0, "", ()
        try:
            return _count(step.compensation(context)), "", ()
        except (LeaseLostError, WorkerStoppedError):
            raise
        except CompensationError as error:
            return error.removed, describe(error), error.residue
        except Exception as error:  # noqa: BLE001 - it becomes the error of CompensationAttempted
            return 0, f"{type(error).__name__}: {describe(error)}", ()

    def _probe(
        self, step: SagaStep, context: RunningStep, known: tuple[Residue, ...]
    ) -> tuple[tuple[Residue, ...], bool, str]:
        if step.residue is None:
            return known, False, ""
        try:
            return tuple(map(_residue, step.residue(context))), True, ""
        except (LeaseLostError, WorkerStoppedError):
            raise
        except Exception as unanswered:  # noqa: BLE001 - CompensationAttempted records it
            detail = f"cannot be asked what is left: {describe(unanswered)}"
            if known:
                return known, False, detail
            return (Residue(step.name, context.saga_id.hex, 0, detail),), False, ""

    def _context(self, step: SagaStep, attempt: int, check: Callable[[], None]) -> RunningStep:
        return RunningStep(self.journal, step.name, attempt, self.report, check)

    def _now_s(self) -> float:
        return self.orchestrator.clock.monotonic_s()


def _count(returned: object) -> int:
    """The number of removed items; check it, for a user's function may return anything."""
    if returned is None:
        return 0
    if isinstance(returned, int) and 0 <= returned <= _MAX_COUNT:
        return int(returned)
    raise TypeError(f"it returned {type(returned).__name__} where a count belongs")


def _residue(found: object) -> Residue:
    """One residue that a probe reported; check its type."""
    if not isinstance(found, Residue):
        raise TypeError(f"it returned {type(found).__name__} where a Residue belongs")
    if not all(isinstance(text, str) for text in (found.store, found.ref, found.detail)):
        raise TypeError("a Residue says where, what and why in text")
    return replace(found, count=_count(found.count))
