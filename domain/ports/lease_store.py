"""The port of leases."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sagaledger.domain.saga.lease import Lease

__all__ = ["LeaseStore"]


class LeaseStore(Protocol):
    """Who drives which saga, among all processes that share the data folder.

    A lease keeps living workers apart; that a dead one can do no harm is the log's doing.
    """

    @property
    def owner(self) -> str:
        """The name of this process's worker: host, process and a random part."""

    def acquire(self, saga_id: UUID, ttl_s: float) -> Lease:
        """Take the lease, or renew it if it is ours. One whose owner is dead is taken at once.

        Raises:
            LeaseHeldError: another living worker holds it and it has not run out.
        """

    def renew(self, ttl_s: float) -> None:
        """Extend every lease of this worker that nobody else took."""

    def holds(self, saga_id: UUID) -> bool:
        """Whether the lease is still ours and has not run out."""

    def release(self, saga_id: UUID) -> None:
        """Give the lease back. Idempotent."""

    def holder(self, saga_id: UUID) -> Lease | None:
        """The living holder's lease, or None where anybody may take it."""

    def close(self) -> None:
        """Give back all leases and end this worker."""
