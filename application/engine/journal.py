"""Recording for one saga under one claim: decide on the present state, store, fold in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.event_logging import log_events
from sagaledger.application.engine.failures import annotate
from sagaledger.application.engine.saga_repository import refreshed_saga
from sagaledger.domain.errors import StorageFullError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.ports.ballast import Ballast
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.decisions import advance
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.domain.saga.events import (
    CommitDecided,
    SagaClaimed,
    SagaEvent,
    SagaStarted,
    StepStarted,
)
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.upload.events import UploadStarted

__all__ = ["MAX_CONFLICTS", "Decision", "SagaJournal"]

MAX_CONFLICTS = 100
"""How often a decision is taken anew because somebody else's event came first."""

_INTENTS = (SagaStarted, StepStarted, CommitDecided, UploadStarted)

Decision = Callable[[Saga], Sequence[SagaEvent]]


class SagaJournal:
    """What one owner of a saga records. A later claim by anybody else ends it.

    Each `record` stores a decision's events together with all that follows from them, up to and
    with the next intent, in one transaction: a step's outcome and the next step's intent cost one,
    and with them go the events of other streams that the step staged.
    `unstored` is the beginning of a new saga, stored together with its first claim.
    """

    def __init__(
        self,
        log: EventStore,
        envelope_factory: EnvelopeFactory,
        definition: SagaDefinition,
        saga: Saga,
        reserve: Ballast,
        unstored: Sequence[RecordedEvent] = (),
    ) -> None:
        self.saga = saga
        self._staged: list[RecordedEvent] = []
        self._unstored = list(unstored)
        self._log = log
        self._stamp = envelope_factory
        self._definition = definition
        self._reserve = reserve
        self._epoch: int | None = None

    def claim(self, decision: Decision) -> None:
        """Record the claim that this journal writes under.

        Raises:
            LeaseLostError: another claim came first.
        """
        before = self.saga.epoch
        self._record(decision, lambda saga: saga.epoch != before)
        self._epoch = self.saga.epoch

    def record(self, decision: Decision) -> None:
        """Store what the decision says of the present state; nothing if it says nothing.

        Where another process's event came first (a cancel, a pause), the decision is taken anew on
        the new state.

        Raises:
            LeaseLostError: another worker has claimed the saga.
            VersionConflictError: a stream of which events are staged has advanced.
            StorageBackendError: the log could not be written; nothing was stored.
        """
        self._record(decision, lambda saga: saga.epoch != self._epoch)

    def refresh(self) -> None:
        """Take in events that other processes appended.

        Raises:
            LeaseLostError: another worker has claimed the saga.
        """
        self._reload(lambda saga: saga.epoch != self._epoch)

    def append(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Store events of another stream under this claim, after those staged before.

        Raises:
            LeaseLostError: another worker has claimed the saga.
            VersionConflictError: the stream has advanced under this same claim.
        """
        recorded = self._stamp.envelopes(stream_id, after_version, self.saga.epoch, events)
        with annotate(events):
            try:
                self._append([*self._staged, *recorded])
            except VersionConflictError:
                self.discard_staged()
                self.refresh()
                raise
        self._staged.clear()
        return recorded

    def stage(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Have events of another stream stored with whatever is stored next.

        Only for facts that a recovery finds out again, should they be lost with this process.
        """
        recorded = self._stamp.envelopes(stream_id, after_version, self.saga.epoch, events)
        self._staged += recorded
        return recorded

    def discard_staged(self) -> None:
        """Forget what is staged: its stream has advanced without it."""
        self._staged.clear()

    def _record(self, decision: Decision, is_lost: Callable[[Saga], bool]) -> None:
        for _ in range(MAX_CONFLICTS):
            saga, recorded = self._decide(decision)
            if not recorded:
                return
            together = [*self._unstored, *self._staged, *recorded]
            with annotate(item.event for item in together):
                is_stored = self._try(together, is_lost)
            if not is_stored:
                continue
            self._unstored.clear()
            self._staged.clear()
            self.saga = saga
            return
        raise VersionConflictError(f"saga {self.saga.id.hex}: gave up after {MAX_CONFLICTS} tries")

    def _try(self, recorded: Sequence[RecordedEvent], is_lost: Callable[[Saga], bool]) -> bool:
        """Store events, or take in those of another process that came first."""
        try:
            self._append(recorded)
        except VersionConflictError:
            if self._unstored:
                raise
            before = self.saga.version
            self._reload(is_lost)
            if self.saga.version == before:
                # It is the stream of what is staged that has advanced.
                raise
            return False
        return True

    def _decide(self, decision: Decision) -> tuple[Saga, list[RecordedEvent]]:
        saga = self.saga.copy()
        recorded: list[RecordedEvent] = []
        events = decision(saga)
        while events:
            # A claim is itself recorded under the epoch that it begins.
            epoch = next((e.epoch for e in events if isinstance(e, SagaClaimed)), saga.epoch)
            more = self._stamp.envelopes(saga.id, saga.version, epoch, events)
            recorded += more
            fold_saga(saga, more)
            events = advance(saga, self._definition)
        return saga, recorded

    def _append(self, recorded: Sequence[RecordedEvent]) -> None:
        try:
            self._log.append(recorded)
        except StorageFullError:
            # A full disk lets no new effect begin, but what went wrong, and what was undone, must
            # still be told: that is what the reserve is for.
            if any(isinstance(item.event, _INTENTS) for item in recorded):
                raise
            # Another saga's thread may have given it up a moment before: there is room then too.
            self._reserve.release()
            self._log.append(recorded)
        log_events(recorded, self.saga.id.hex)

    def _reload(self, is_lost: Callable[[Saga], bool]) -> None:
        saga = refreshed_saga(self._log, self.saga)
        if is_lost(saga):
            raise LeaseLostError(saga.id.hex)
        self.saga = saga
