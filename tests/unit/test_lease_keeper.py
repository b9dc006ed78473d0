"""A lease that is held for the length of a piece of work."""

from __future__ import annotations

from uuid import UUID

import pytest
from sagaledger.application.engine.lease_keeper import LeaseKeeper
from sagaledger.domain.errors import StorageBackendError
from sagaledger.infrastructure.leases.sqlite_leases import MemoryLeases, MemoryLeaseStore
from sagaledger.infrastructure.system_clock import SystemClock

SAGA = UUID(int=1)


class Unreleasable(MemoryLeaseStore):
    """Leases that can be had and never given back."""

    def release(self, saga_id: UUID) -> None:
        raise StorageBackendError("leases", "release", "timed out")


@pytest.fixture
def keeper() -> LeaseKeeper:
    return LeaseKeeper(Unreleasable("host:1:a", MemoryLeases(), SystemClock()), ttl_s=30.0)


def test_lease_that_cannot_be_given_back_hides_no_other_failure(keeper: LeaseKeeper) -> None:
    with pytest.raises(ValueError, match="the work failed") as failure, keeper.hold(SAGA):
        raise ValueError("the work failed")

    assert failure.value.__notes__ == [
        "its lease could not be released: leases store: release failed: timed out"
    ]
    keeper.close()


def test_lease_that_cannot_be_given_back_after_good_work_is_told(keeper: LeaseKeeper) -> None:
    with pytest.raises(StorageBackendError, match="release failed"), keeper.hold(SAGA):
        pass
    keeper.close()
