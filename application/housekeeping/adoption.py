"""Protects adopted orphans: no undo may remove them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.housekeeping.errors import OrphanAdoptedError
from sagaledger.domain.housekeeping.orphans import OrphanState
from sagaledger.domain.saga.state import Saga

if TYPE_CHECKING:
    from sagaledger.domain.ports.orphan_directory import OrphanDirectory

__all__ = ["AdoptionGuard"]


@dataclass(frozen=True, slots=True)
class AdoptionGuard:
    """Refuses operations on a saga that would remove its adopted orphans."""

    orphans: OrphanDirectory

    def admit(self, saga: Saga) -> None:
        """Refuse to retry a rollback whose undo would also remove adopted orphans.

        Raises:
            OrphanAdoptedError: An orphan of an earlier round is adopted.
        """
        # A rollback has orphans only after an attempt to undo a step.
        if saga.rollback is not None and saga.compensations:
            self.require_none(saga.id)

    def require_none(self, saga_id: UUID) -> None:
        """Require that no orphan of the saga is adopted.

        Raises:
            OrphanAdoptedError: An orphan of the saga is adopted.
        """
        for orphan in self.orphans.known():
            if orphan.saga_id == saga_id.hex and orphan.state is OrphanState.ADOPTED:
                raise OrphanAdoptedError(orphan.orphan_id, orphan.store, orphan.ref)
