"""Requests by an operator to one saga: cancel, roll back, resume.

All interfaces use this module, so that they behave the same. Every check comes before the first
event: a refused request has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.housekeeping.adoption import AdoptionGuard
from sagaledger.domain.saga.decisions import cancel_saga, resume_saga
from sagaledger.domain.saga.errors import LeaseHeldError, SagaStateError
from sagaledger.domain.saga.lease import Lease
from sagaledger.domain.saga.result import SagaExecutionResult, result_of
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import SagaStatus

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.lease_store import LeaseStore

__all__ = ["OWNER_WAIT_S", "SagaRequests"]

OWNER_WAIT_S = 600.0
"""How long a caller that can wait gives the owner of a saga to roll it back."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class SagaRequests:
    """Checks a request, stores it, and drives the saga if no other living worker does."""

    log: EventStore
    control: SagaControl
    definitions: DefinitionRegistry
    leases: LeaseStore
    adoptions: AdoptionGuard
    clock: Clock
    drive: Callable[[UUID], SagaExecutionResult]
    """Claims an existing saga and drives it; see `Orchestrator.drive` for the errors."""

    def cancel(
        self, saga_id: UUID, by: str, reason: str, *, wait_s: float = 0.0
    ) -> SagaExecutionResult:
        """Roll an open saga back, in the worker that drives it or otherwise here.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: Its commit is decided, or it has ended.
            OrphanAdoptedError: The rollback would remove an adopted orphan.
            DefinitionUnknownError: No worker drives it, and its definition is not registered here.
            LeaseHeldError: Another worker has not ended it within `wait_s`; it has the request.
        """
        saga = load_saga(self.log, saga_id)
        cancel_saga(saga, by, reason)
        self._require_undoable(saga)
        self.control.cancel(saga_id, by, reason)
        return self.to_end(saga_id, wait_s=wait_s)

    def roll_back(
        self, saga_id: UUID, by: str, reason: str, *, wait_s: float = 0.0
    ) -> SagaExecutionResult:
        """Roll an open saga back, or retry a rollback that left residue.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: Its commit is decided, or it has ended without residue.
            OrphanAdoptedError: The rollback would remove an adopted orphan.
            DefinitionUnknownError: No worker drives it, and its definition is not registered here.
            LeaseHeldError: Another worker has not ended it within `wait_s`; it has the request.
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
        """Resume a paused, stopped or parked saga; the caller drives it.

        Raises:
            NotFoundError: The saga does not exist.
            SagaStateError: The saga has ended.
            LeaseHeldError: Another living worker drives it.
            OrphanAdoptedError: The rollback would remove an adopted orphan.
            DefinitionUnknownError: Its definition is not registered here.
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
        """Drive a saga with a requested rollback, or wait until its owner has done so.

        Raises:
            LeaseHeldError: Its owner has not ended it within `wait_s`.
            SagaStateError: The saga has nothing to do.
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
                # Its owner may have ended it in the meantime.
                if load_saga(self.log, saga_id).version == saga.version:
                    raise

    def _require_undoable(self, saga: Saga) -> None:
        """Require everything that driving the saga here needs; an owner elsewhere may have more."""
        self.adoptions.admit(saga)
        if self._held_elsewhere(saga.id) is None:
            self.definitions.definition_of(saga)

    def _held_elsewhere(self, saga_id: UUID) -> Lease | None:
        held = self.leases.holder(saga_id)
        return None if held is None or held.owner == self.leases.owner else held
