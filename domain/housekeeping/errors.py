"""The errors of alert rules and of orphans."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import RollbackReason

__all__ = ["AlertRulesError", "OrphanAdoptedError"]


class AlertRulesError(SagaledgerError):
    """The file of alert rules is invalid."""


class OrphanAdoptedError(SagaledgerError):
    """The operation would remove an adopted orphan."""

    reason = RollbackReason.INVALID_STATE

    def __init__(self, orphan_id: str, store: str, ref: str) -> None:
        super().__init__(f"{store} {ref} is adopted (orphan {orphan_id})")
        self.orphan_id = orphan_id
        self.store = store
        self.ref = ref
