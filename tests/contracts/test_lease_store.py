"""What every lease store promises its workers."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.domain.saga.errors import LeaseHeldError
from sagaledger.infrastructure.leases.sqlite_leases import (
    MemoryLeases,
    MemoryLeaseStore,
    SqliteLeaseStore,
)
from sagaledger.infrastructure.system_clock import SystemClock

from tests.support.memory_disk import JumpingClock

SAGA, OTHER = UUID(int=1), UUID(int=2)
TTL_S = 30.0
HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from uuid import UUID
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore
from sagaledger.infrastructure.system_clock import SystemClock

folder = Path(sys.argv[1])
leases = SqliteLeaseStore(folder / "leases.db", folder / "workers", SystemClock())
leases.acquire(UUID(int=1), 3600)
print(leases.owner, flush=True)
time.sleep(600)
"""


class Workers:
    """Makes workers that share their leases, and a clock that can be set."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.clock = JumpingClock()
        self._kind = kind
        self._folder = folder
        self._shared = MemoryLeases()
        self._made: list[LeaseStore] = []

    def one_more(self) -> LeaseStore:
        number = len(self._made)
        worker: LeaseStore = (
            MemoryLeaseStore(f"host:{number}:x", self._shared, self.clock)
            if self._kind == "memory"
            else SqliteLeaseStore(self._folder / "leases.db", self._folder / "workers", self.clock)
        )
        self._made.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._made:
            worker.close()


@pytest.fixture(params=["sqlite", "memory"])
def workers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def worker(workers: Workers) -> LeaseStore:
    return workers.one_more()


@pytest.fixture
def rival(workers: Workers) -> LeaseStore:
    return workers.one_more()


def test_workers_have_names_of_their_own(worker: LeaseStore, rival: LeaseStore) -> None:
    assert worker.owner
    assert worker.owner != rival.owner


def test_lease_acquired_is_held_until_it_runs_out(workers: Workers, worker: LeaseStore) -> None:
    lease = worker.acquire(SAGA, TTL_S)

    assert worker.holds(SAGA)
    assert worker.holder(SAGA) == lease
    assert lease.owner == worker.owner
    workers.clock.jump(TTL_S + 1)
    assert not worker.holds(SAGA)
    assert worker.holder(SAGA) is None


def test_lease_of_a_living_worker_is_refused_to_another(
    worker: LeaseStore, rival: LeaseStore
) -> None:
    worker.acquire(SAGA, TTL_S)

    with pytest.raises(LeaseHeldError) as refused:
        rival.acquire(SAGA, TTL_S)

    assert worker.owner in str(refused.value)
    assert worker.holds(SAGA)
    assert not rival.holds(SAGA)


def test_leases_of_different_sagas_do_not_touch(worker: LeaseStore, rival: LeaseStore) -> None:
    worker.acquire(SAGA, TTL_S)

    rival.acquire(OTHER, TTL_S)

    assert (worker.holds(SAGA), rival.holds(OTHER)) == (True, True)
    assert (worker.holds(OTHER), rival.holds(SAGA)) == (False, False)


def test_lease_acquired_again_by_its_owner_is_renewed(workers: Workers, worker: LeaseStore) -> None:
    worker.acquire(SAGA, TTL_S)
    workers.clock.jump(TTL_S - 1)

    worker.acquire(SAGA, TTL_S)

    workers.clock.jump(TTL_S - 1)
    assert worker.holds(SAGA)


def test_leases_renewed_live_longer_all_of_them(workers: Workers, worker: LeaseStore) -> None:
    worker.acquire(SAGA, TTL_S)
    worker.acquire(OTHER, TTL_S)
    workers.clock.jump(TTL_S - 1)

    worker.renew(TTL_S)

    workers.clock.jump(TTL_S - 1)
    assert (worker.holds(SAGA), worker.holds(OTHER)) == (True, True)


def test_lease_that_ran_out_is_taken_and_a_late_renewal_does_not_take_it_back(
    workers: Workers, worker: LeaseStore, rival: LeaseStore
) -> None:
    worker.acquire(SAGA, TTL_S)
    workers.clock.jump(TTL_S + 1)

    rival.acquire(SAGA, TTL_S)
    worker.renew(TTL_S)

    assert (worker.holds(SAGA), rival.holds(SAGA)) == (False, True)


def test_lease_released_can_be_taken_at_once_and_released_again(
    worker: LeaseStore, rival: LeaseStore
) -> None:
    worker.acquire(SAGA, TTL_S)

    worker.release(SAGA)
    worker.release(SAGA)

    assert not worker.holds(SAGA)
    rival.acquire(SAGA, TTL_S)
    assert rival.holds(SAGA)


def test_release_by_who_does_not_hold_it_changes_nothing(
    worker: LeaseStore, rival: LeaseStore
) -> None:
    worker.acquire(SAGA, TTL_S)

    rival.release(SAGA)

    assert worker.holds(SAGA)


def test_leases_of_a_worker_that_ended_can_be_taken_at_once(
    worker: LeaseStore, rival: LeaseStore
) -> None:
    worker.acquire(SAGA, TTL_S)

    worker.close()

    assert rival.holder(SAGA) is None
    rival.acquire(SAGA, TTL_S)
    assert rival.holds(SAGA)


def test_worker_that_has_ended_holds_nothing_any_more(tmp_path: Path) -> None:
    worker = SqliteLeaseStore(tmp_path / "leases.db", tmp_path / "workers", SystemClock())
    worker.acquire(SAGA, TTL_S)
    worker.close()

    with pytest.raises(StorageBackendError, match="ended"):
        worker.holds(SAGA)


def test_lease_of_a_killed_process_can_be_taken_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_KILLED, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        owner = said.readline().strip()
        worker = SqliteLeaseStore(tmp_path / "leases.db", tmp_path / "workers", SystemClock())
        with pytest.raises(LeaseHeldError, match=owner):
            worker.acquire(SAGA, TTL_S)

        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    worker.acquire(SAGA, TTL_S)
    assert worker.holds(SAGA)
    worker.close()


@pytest.mark.parametrize("look", [lambda w: w.holds(SAGA), lambda w: w.holder(SAGA)])
def test_who_only_looks_waits_for_no_writer(
    tmp_path: Path, look: Callable[[LeaseStore], object]
) -> None:
    worker = SqliteLeaseStore(tmp_path / "leases.db", tmp_path / "workers", SystemClock())
    worker.acquire(SAGA, TTL_S)
    writer = sqlite3.connect(tmp_path / "leases.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    assert look(worker)

    writer.execute("ROLLBACK")
    writer.close()
    worker.close()
