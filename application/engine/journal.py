"""Records one saga under one claim: decide on the current state, store the events, apply them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.attribution import on_behalf_of
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.failures import annotate
from sagaledger.application.engine.optimistic_append import append_decided
from sagaledger.application.engine.saga_repository import refreshed_saga
from sagaledger.domain.errors import StorageFullError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.saga.decisions import advance
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.domain.saga.events import SagaClaimed, SagaEvent
from sagaledger.domain.saga.state import Saga, fold_saga

if TYPE_CHECKING:
    from sagaledger.domain.ports.ballast import Ballast
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["Decision", "SagaJournal"]

Decision = Callable[[Saga], Sequence[SagaEvent]]


@dataclass(frozen=True, slots=True)
class _Staged:
    """Events of another stream that are stored with the step's outcome."""

    recorded: Sequence[RecordedEvent]
    even_on_failure: bool


class SagaJournal:
    """The records of one owner of a saga. A later claim by another worker ends it.

    Each `record` stores a decision's events and all events that follow from them, up to and
    including the next intent, in one transaction. A step's outcome and the next step's intent
    cost one transaction, which also stores the events of other streams that the step staged.
    `unstored` holds the first events of a new saga, stored together with its first claim.
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
        self._staged: list[_Staged] = []
        self._unstored = list(unstored)
        self._log = log
        self._stamp = envelope_factory
        self._definition = definition
        self._reserve = reserve
        self._epoch: int | None = None

    def claim(self, decision: Decision) -> None:
        """Record the claim that this journal writes under.

        Raises:
            LeaseLostError: Another claim was stored first.
        """
        before = self.saga.epoch
        self._record(decision, lambda saga: saga.epoch != before)
        self._epoch = self.saga.epoch

    def record(self, decision: Decision) -> None:
        """Store the events that the decision returns for the current state, if it returns any.

        If another process stored an event first (a cancel, a pause), the decision is repeated on
        the new state.

        Raises:
            LeaseLostError: Another worker has claimed the saga.
            VersionConflictError: The stream of the staged events has advanced.
            StorageBackendError: The log cannot be written; nothing was stored.
        """
        self._record(decision, lambda saga: saga.epoch != self._epoch)

    def refresh(self) -> None:
        """Apply events that other processes appended.

        Raises:
            LeaseLostError: Another worker has claimed the saga.
        """
        self._reload(lambda saga: saga.epoch != self._epoch)

    def append(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Store events of another stream under this claim, after all staged events.

        Raises:
            ValueError: The stream is the saga's own.
            LeaseLostError: Another worker has claimed the saga.
            VersionConflictError: The stream has advanced under this same claim.
        """
        recorded = self._in_envelopes(stream_id, after_version, events)
        with annotate(events):
            try:
                self._append([*self._staged_events(), *recorded])
            except VersionConflictError:
                self._staged.clear()
                self.refresh()
                raise
        self._staged.clear()
        return recorded

    def stage(
        self,
        stream_id: UUID,
        after_version: int,
        events: Sequence[Event],
        *,
        even_on_failure: bool = False,
    ) -> list[RecordedEvent]:
        """Stage events of another stream: they are stored with the next events of the saga.

        Only for facts that a recovery finds again if this process dies first.

        Raises:
            ValueError: The stream is the saga's own.
        """
        recorded = self._in_envelopes(stream_id, after_version, events)
        self._staged.append(_Staged(recorded, even_on_failure))
        return recorded

    def discard_staged(self, *, even_on_failure: bool) -> None:
        """Discard staged events: all, or only those that must not be stored if their step fails."""
        self._staged = [s for s in self._staged if s.even_on_failure and not even_on_failure]

    def _record(self, decision: Decision, is_lost: Callable[[Saga], bool]) -> None:
        decided = self.saga

        def decide() -> Sequence[RecordedEvent]:
            nonlocal decided
            decided, recorded = self._decide(decision)
            return recorded and [*self._unstored, *self._staged_events(), *recorded]

        def reload(conflict: VersionConflictError) -> None:
            if self._unstored:
                raise conflict
            before = self.saga.version
            self._reload(is_lost)
            if self.saga.version == before:
                # The stream of the staged events has advanced.
                raise conflict

        if append_decided(f"saga {self.saga.id.hex}", decide, self._append, reload):
            self._unstored.clear()
            self._staged.clear()
            self.saga = decided

    def _staged_events(self) -> list[RecordedEvent]:
        return [item for staged in self._staged for item in staged.recorded]

    def _in_envelopes(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        if stream_id == self.saga.id:
            raise ValueError("only the engine writes to a saga's own stream; use another stream")
        return self._stamp.envelopes(stream_id, after_version, self.saga.epoch, events)

    def _decide(self, decision: Decision) -> tuple[Saga, list[RecordedEvent]]:
        saga = self.saga.copy()
        recorded: list[RecordedEvent] = []
        events = decision(saga)
        while events:
            # A claim is recorded under the epoch that it starts.
            epoch = next((e.epoch for e in events if isinstance(e, SagaClaimed)), saga.epoch)
            more = self._stamp.envelopes(saga.id, saga.version, epoch, events)
            recorded += more
            fold_saga(saga, more)
            events = advance(saga, self._definition)
        return saga, recorded

    def _append(self, recorded: Sequence[RecordedEvent]) -> None:
        with on_behalf_of(self.saga.id):
            try:
                self._log.append(recorded)
            except StorageFullError:
                # On a full disk no new effect may start, but failures and undos must be
                # recorded: the ballast file is for that.
                if any(item.event.announces_effect for item in recorded):
                    raise
                # Another saga's thread may have just released it; then there is free space.
                self._reserve.release()
                self._log.append(recorded)

    def _reload(self, is_lost: Callable[[Saga], bool]) -> None:
        saga = refreshed_saga(self._log, self.saga)
        if is_lost(saga):
            raise LeaseLostError(saga.id.hex)
        self.saga = saga
