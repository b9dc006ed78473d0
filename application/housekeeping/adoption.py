"""Adopted orphans: what somebody takes care of, no undo may remove."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sagaledger.domain.housekeeping.errors import OrphanAdoptedError
from sagaledger.domain.housekeeping.orphans import OrphanState
from sagaledger.domain.ports.orphan_directory import OrphanDirectory
from sagaledger.domain.saga.state import Saga

__all__ = ["AdoptionGuard"]


@dataclass(frozen=True, slots=True)
class AdoptionGuard:
    """Refuses work on a saga that would remove what somebody has adopted of it."""

    orphans: OrphanDirectory

    def admit(self, saga: Saga) -> None:
        """Refuse to take a rollback up again: its undo would remove what is adopted too.

        Raises:
            OrphanAdoptedError: somebody has adopted what an earlier round has left.
        """
        # A saga has orphans of its rollback only after a try to undo something.
        if saga.rollback is not None and saga.compensations:
            self.require_none(saga.id)

    def require_none(self, saga_id: UUID) -> None:
        """Insist that nobody has adopted anything that the saga has left.

        Raises:
            OrphanAdoptedError: somebody has.
        """
        for orphan in self.orphans.known():
            if orphan.saga_id == saga_id.hex and orphan.state is OrphanState.ADOPTED:
                raise OrphanAdoptedError(orphan.orphan_id, orphan.store, orphan.ref)
