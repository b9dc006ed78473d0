"""What an operator asks of one saga: cancel it, roll it back, let it go on.

Every interface asks through here, so that none can differ. Each check comes before the first
event: a request that is refused has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.housekeeping.adoption import AdoptionGuard
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.domain.saga.decisions import cancel_saga, resume_saga
from sagaledger.domain.saga.errors import LeaseHeldError, SagaStateError
from sagaledger.domain.saga.lease import Lease
from sagaledger.domain.saga.result import SagaExecutionResult, result_of
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import SagaStatus

__all__ = ["OWNER_WAIT_S", "SagaRequests"]

OWNER_WAIT_S = 600.0
"""How long a caller who can wait gives the owner of a saga to roll it back."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class SagaRequests:
    """Checks a request, stores it, and drives the saga where no other living worker does."""

    log: EventStore
    control: SagaControl
    definitions: DefinitionRegistry
    leases: LeaseStore
    adoptions: AdoptionGuard
    clock: Clock
    drive: Callable[[UUID], SagaExecutionResult]
    """Takes a saga over as it stands and drives it; see `Orchestrator.drive` for the errors."""

    def cancel(
        self, saga_id: UUID, by: str, reason: str, *, wait_s: float = 0.0
    ) -> SagaExecutionResult:
        """Have an open saga rolled back, by the worker that drives it or else here.

        Raises:
            NotFoundError: there is no such saga.
            SagaStateError: its commit is decided, or it has ended.
            OrphanAdoptedError: somebody has adopted what its rollback would remove.
            DefinitionUnknownError: nobody drives it, and its definition is not registered here.
            LeaseHeldError: another worker has not ended it within `wait_s`; it has the request.
        """
        saga = load_saga(self.log, saga_id)
        cancel_saga(saga, by, reason)
        self._require_undoable(saga)
        self.control.cancel(saga_id, by, reason)
        return self.to_end(saga_id, wait_s=wait_s)

    def roll_back(
        self, saga_id: UUID, by: str, reason: str, *, wait_s: float = 0.0
    ) -> SagaExecutionResult:
        """Roll an open saga back, or take a rollback that left something up again.

        Raises:
            NotFoundError: there is no such saga.
            SagaStateError: its commit is decided, or it has ended with nothing left to undo.
            OrphanAdoptedError: somebody has adopted what its rollback would remove.
            DefinitionUnknownError: nobody drives it, and its definition is not registered here.
            LeaseHeldError: another worker has not ended it within `wait_s`; it has the request.
        """
        saga = load_saga(self.log, saga_id)
        if saga.status is SagaStatus.COMPENSATED:
            raise SagaStateError(f"saga {saga_id.hex} is rolled back already, with nothing left")
        if saga.rollback is None:
            cancel_saga(saga, by, reason)
        self._require_undoable(saga)
        if saga.rollback is None:
            self.control.cancel(saga_id, by, reason)
        elif saga.parked is not None:
            self.control.resume(saga_id, by)
        return self.to_end(saga_id, wait_s=wait_s)

    def resume(self, saga_id: UUID, by: str) -> Saga:
        """Let a paused, stopped or parked saga go on; the caller drives it.

        Raises:
            NotFoundError: there is no such saga.
            SagaStateError: it has ended.
            LeaseHeldError: another living worker drives it.
            OrphanAdoptedError: somebody has adopted what its rollback would remove.
            DefinitionUnknownError: its definition is not registered here.
        """
        saga = load_saga(self.log, saga_id)
        resume_saga(saga, by)
        held = self._held_elsewhere(saga_id)
        if held is not None:
            expires_in_s = (held.expires_us - self.clock.now_us()) / 1_000_000
            raise LeaseHeldError(saga_id.hex, held.owner, expires_in_s)
        self._require_undoable(saga)
        return self.control.resume(saga_id, by)

    def to_end(self, saga_id: UUID, *, wait_s: float = 0.0) -> SagaExecutionResult:
        """Drive a saga that was told to roll back, or wait until its owner has done so.

        Raises:
            LeaseHeldError: its owner has not ended it within `wait_s`.
            SagaStateError: it has nothing left to do.
        """
        until_s = self.clock.monotonic_s() + wait_s
        while True:
            saga = load_saga(self.log, saga_id)
            if not saga.status.is_open and not (saga.residue and saga.rollback):
                return result_of(saga)
            try:
                return self.drive(saga_id)
            except LeaseHeldError:
                # Its owner sees the request at its next checkpoint and rolls it back itself.
                if self.clock.monotonic_s() >= until_s:
                    raise
                self.clock.sleep(_POLL_S)
            except SagaStateError:
                # Its owner may have ended it since we looked.
                if load_saga(self.log, saga_id).version == saga.version:
                    raise

    def _require_undoable(self, saga: Saga) -> None:
        """Insist on all that driving the saga here takes; its owner elsewhere may know more."""
        self.adoptions.admit(saga)
        if self._held_elsewhere(saga.id) is None:
            self.definitions.definition_of(saga)

    def _held_elsewhere(self, saga_id: UUID) -> Lease | None:
        held = self.leases.holder(saga_id)
        return None if held is None or held.owner == self.leases.owner else held
