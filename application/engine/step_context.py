"""The context that a step's functions receive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.journal import SagaJournal
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.errors import (
    LeaseLostError,
    SagaCancelledError,
    SagaPausedError,
    WorkerStoppedError,
)
from sagaledger.domain.saga.progress import Progress
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.values import Parameters

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.lease_store import LeaseStore

__all__ = ["Checkpoint", "RunningStep"]

_POLL_S = 0.2
"""How often a checkpoint reads the log for a cancel or pause by another process."""


class Checkpoint:
    """Decides at every checkpoint of the forward path whether it may continue."""

    def __init__(
        self, journal: SagaJournal, clock: Clock, leases: LeaseStore, stopping: threading.Event
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._leases = leases
        self._stopping = stopping
        self._began_s = clock.monotonic_s()
        self._active_before_s = journal.saga.active_us / 1_000_000
        # The claim was stored directly after the last event of the stream.
        self._polled_s = self._began_s

    def forward(self) -> None:
        """Return, or raise the error that ends the forward path.

        After the decision, only the loss of the claim and the end of the worker raise.
        """
        self.held()
        now_s = self._clock.monotonic_s()
        if now_s - self._polled_s >= _POLL_S:
            self._polled_s = now_s
            self._journal.refresh()
        saga = self._journal.saga
        if saga.decided:
            return
        if saga.cancelled is not None:
            raise SagaCancelledError(f"cancelled by {saga.cancelled.by}: {saga.cancelled.reason}")
        if saga.paused:
            raise SagaPausedError(f"saga {saga.id.hex} is paused")
        spent_s = self._active_before_s + now_s - self._began_s
        if saga.deadline_s and spent_s > saga.deadline_s:
            raise SagaCancelledError(
                f"deadline of {saga.deadline_s:g} s passed after {spent_s:.1f} s of work",
                RollbackReason.DEADLINE_EXCEEDED,
            )

    def held(self) -> None:
        """Raise unless this worker still owns the saga and is not shutting down."""
        if self._stopping.is_set():
            raise WorkerStoppedError("this worker is shutting down")
        if not self._leases.holds(self._journal.saga.id):
            # A lease may expire unnoticed (the process was suspended). It is ours again if no other
            # worker took it; the log then shows whether we still own the saga.
            self._journal.refresh()
            if self._leases.holder(self._journal.saga.id) is not None:
                raise LeaseLostError(self._journal.saga.id.hex)


@dataclass(slots=True)
class RunningStep:
    """One run of one step's action, compensation or probe."""

    journal: SagaJournal
    step: str
    attempt: int
    report: Callable[[Progress], None]
    check: Callable[[], None]

    @property
    def saga_id(self) -> UUID:
        """The saga that the step belongs to."""
        return self.journal.saga.id

    @property
    def parameters(self) -> Parameters:
        """The parameters of the saga."""
        return self.journal.saga.parameters

    @property
    def outputs(self) -> dict[str, Parameters]:
        """The output of each completed step, by the step's name."""
        return self.journal.saga.outputs

    @property
    def started_us(self) -> int:
        """When the saga started, in microseconds since the epoch."""
        return self.journal.saga.started_us

    def append(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Store events of another stream now, under this saga's claim, after all staged events."""
        return self.journal.append(stream_id, after_version, events)

    def stage(
        self,
        stream_id: UUID,
        after_version: int,
        events: Sequence[Event],
        *,
        even_on_failure: bool = False,
    ) -> list[RecordedEvent]:
        """Stage events of another stream for the transaction of the step's outcome."""
        return self.journal.stage(stream_id, after_version, events, even_on_failure=even_on_failure)

    def checkpoint(self) -> None:
        """Return, or raise the error that ends the step."""
        self.check()

    def progress(self, done: int, total: int, unit: str = "bytes", label: str = "") -> None:
        """Report the step's progress."""
        shown = label or self.journal.saga.definition
        self.report(Progress(self.saga_id, shown, self.step, done, total, unit))
