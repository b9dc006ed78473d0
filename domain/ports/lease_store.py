"""The port of leases."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sagaledger.domain.saga.lease import Lease

__all__ = ["LeaseStore"]


class LeaseStore(Protocol):
    """Records which worker drives which saga, for all processes that share the data folder.

    A lease separates running workers. The event log protects against a worker that has lost it.
    """

    @property
    def owner(self) -> str:
        """The name of this process's worker: host, process id and a random part."""

    def acquire(self, saga_id: UUID, ttl_s: float) -> Lease:
        """Take the lease, or renew our own. The lease of a dead worker is taken at once.

        Raises:
            LeaseHeldError: another living worker holds the lease, and it has not expired.
        """

    def renew(self, ttl_s: float) -> None:
        """Extend every lease that this worker still holds."""

    def holds(self, saga_id: UUID) -> bool:
        """Whether this worker holds the lease and it has not expired."""

    def release(self, saga_id: UUID) -> None:
        """Release the lease. Idempotent."""

    def holder(self, saga_id: UUID) -> Lease | None:
        """The lease of a living holder, or None if any worker may take it."""

    def close(self) -> None:
        """Release all leases and end this worker."""
