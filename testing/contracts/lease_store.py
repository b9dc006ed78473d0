"""What every lease store promises its workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.domain.saga.errors import LeaseHeldError
from sagaledger.testing.child_process import process_running, wait_to_be_killed
from sagaledger.testing.clock import ManualClock
from sagaledger.testing.contracts.contract import Contract, needs_durability

__all__ = ["LeaseStoreContract"]

_SAGA, _OTHER = UUID(int=1), UUID(int=2)
_TTL_S = 30.0


class LeaseStoreContract(Contract):
    """The tests of a `LeaseStore`.

    Example:
        class TestMyLeaseStore(LeaseStoreContract):
            def open_worker(self, folder: Path, clock: Clock) -> LeaseStore:
                return MyLeaseStore(folder / "leases.db", clock)
    """

    def open_worker(self, folder: Path, clock: Clock) -> LeaseStore:
        """Start one more worker with its leases in this folder."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The clock of all workers of a test."""
        return ManualClock()

    @pytest.fixture
    def pair(self, tmp_path: Path, clock: ManualClock) -> Iterator[tuple[LeaseStore, LeaseStore]]:
        """Two workers that share their leases."""
        with ExitStack() as open_workers:
            made = [self.open_worker(tmp_path, clock) for _ in range(2)]
            for each in made:
                open_workers.enter_context(closing(each))
            yield made[0], made[1]

    @pytest.fixture
    def worker(self, pair: tuple[LeaseStore, LeaseStore]) -> LeaseStore:
        """One of the two."""
        return pair[0]

    @pytest.fixture
    def rival(self, pair: tuple[LeaseStore, LeaseStore]) -> LeaseStore:
        """The other one."""
        return pair[1]

    def test_workers_have_names_of_their_own(self, worker: LeaseStore, rival: LeaseStore) -> None:
        assert worker.owner
        assert worker.owner != rival.owner

    def test_lease_acquired_is_held_until_it_runs_out(
        self, clock: ManualClock, worker: LeaseStore
    ) -> None:
        lease = worker.acquire(_SAGA, _TTL_S)

        assert worker.holds(_SAGA)
        assert worker.holder(_SAGA) == lease
        assert lease.owner == worker.owner
        clock.jump(_TTL_S + 1)
        assert not worker.holds(_SAGA)
        assert worker.holder(_SAGA) is None

    def test_lease_of_a_living_worker_is_refused_to_another(
        self, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)

        with pytest.raises(LeaseHeldError) as refused:
            rival.acquire(_SAGA, _TTL_S)

        assert worker.owner in str(refused.value)
        assert worker.holds(_SAGA)
        assert not rival.holds(_SAGA)

    def test_leases_of_different_sagas_do_not_touch(
        self, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)

        rival.acquire(_OTHER, _TTL_S)

        assert (worker.holds(_SAGA), rival.holds(_OTHER)) == (True, True)
        assert (worker.holds(_OTHER), rival.holds(_SAGA)) == (False, False)

    def test_lease_acquired_again_by_its_owner_is_renewed(
        self, clock: ManualClock, worker: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)
        clock.jump(_TTL_S - 1)

        worker.acquire(_SAGA, _TTL_S)

        clock.jump(_TTL_S - 1)
        assert worker.holds(_SAGA)

    def test_leases_renewed_live_longer_all_of_them(
        self, clock: ManualClock, worker: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)
        worker.acquire(_OTHER, _TTL_S)
        clock.jump(_TTL_S - 1)

        worker.renew(_TTL_S)

        clock.jump(_TTL_S - 1)
        assert (worker.holds(_SAGA), worker.holds(_OTHER)) == (True, True)

    def test_lease_that_ran_out_is_taken_and_a_late_renewal_does_not_take_it_back(
        self, clock: ManualClock, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)
        clock.jump(_TTL_S + 1)

        rival.acquire(_SAGA, _TTL_S)
        worker.renew(_TTL_S)

        assert (worker.holds(_SAGA), rival.holds(_SAGA)) == (False, True)

    def test_lease_released_can_be_taken_at_once_and_released_again(
        self, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)

        worker.release(_SAGA)
        worker.release(_SAGA)

        assert not worker.holds(_SAGA)
        rival.acquire(_SAGA, _TTL_S)
        assert rival.holds(_SAGA)

    def test_release_by_who_does_not_hold_it_changes_nothing(
        self, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)

        rival.release(_SAGA)

        assert worker.holds(_SAGA)

    def test_leases_of_a_worker_that_ended_can_be_taken_at_once(
        self, worker: LeaseStore, rival: LeaseStore
    ) -> None:
        worker.acquire(_SAGA, _TTL_S)

        worker.close()

        assert rival.holder(_SAGA) is None
        rival.acquire(_SAGA, _TTL_S)
        assert rival.holds(_SAGA)

    @needs_durability
    def test_lease_of_a_killed_process_can_be_taken_at_once(
        self, tmp_path: Path, clock: ManualClock
    ) -> None:
        with closing(self.open_worker(tmp_path, clock)) as worker:
            with process_running(self, "hold_until_killed", tmp_path):
                with pytest.raises(LeaseHeldError) as refused:
                    worker.acquire(_SAGA, _TTL_S)
                held = worker.holder(_SAGA)

            assert held is not None
            assert held.owner in str(refused.value)
            worker.acquire(_SAGA, _TTL_S)
            assert worker.holds(_SAGA)

    def hold_until_killed(self, folder: Path) -> None:
        """The work of the killed process."""
        worker = self.open_worker(folder, ManualClock())
        worker.acquire(_SAGA, 3600)
        wait_to_be_killed()
