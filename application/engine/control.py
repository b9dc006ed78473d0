"""Requests to a saga that may run in another process; they are passed through the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.attribution import on_behalf_of
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.optimistic_append import append_decided
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.saga.decisions import cancel_saga, pause_saga, resume_saga
from sagaledger.domain.saga.events import SagaEvent
from sagaledger.domain.saga.state import Saga, fold_saga

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["SagaControl"]


@dataclass(frozen=True, slots=True)
class SagaControl:
    """Appends a request to a saga's stream; its owner sees it at the next checkpoint."""

    log: EventStore
    envelope_factory: EnvelopeFactory

    def cancel(self, saga_id: UUID, by: str, reason: str) -> Saga:
        """Request a rollback.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: The commit is decided, or the saga has ended.
        """
        return self._request(saga_id, lambda saga: cancel_saga(saga, by, reason))

    def pause(self, saga_id: UUID, by: str) -> Saga:
        """Request that the saga stops at its next checkpoint.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: The saga is not on its forward path, or its commit is decided.
        """
        return self._request(saga_id, lambda saga: pause_saga(saga, by))

    def resume(self, saga_id: UUID, by: str) -> Saga:
        """Request that a paused or parked saga continues.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: The saga has ended.
        """
        return self._request(saga_id, lambda saga: resume_saga(saga, by))

    def _request(self, saga_id: UUID, decide: Callable[[Saga], Sequence[SagaEvent]]) -> Saga:
        saga = load_saga(self.log, saga_id)

        def decided() -> Sequence[RecordedEvent]:
            return self.envelope_factory.envelopes(saga.id, saga.version, saga.epoch, decide(saga))

        def reload(_: VersionConflictError) -> None:
            nonlocal saga
            saga = load_saga(self.log, saga_id)

        with on_behalf_of(saga_id):
            recorded = append_decided(f"saga {saga_id.hex}", decided, self.log.append, reload)
        fold_saga(saga, recorded)
        return saga
