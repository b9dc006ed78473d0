"""Our lease stores keep what every lease store promises; and what only SQLite's does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.lease_store import LeaseStore
from sagaledger.infrastructure.leases.sqlite_leases import (
    MemoryLeases,
    MemoryLeaseStore,
    SqliteLeaseStore,
)
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.testing import LeaseStoreContract

SAGA = UUID(int=1)
TTL_S = 30.0


class TestSqlite(LeaseStoreContract):
    def open_worker(self, folder: Path, clock: Clock) -> LeaseStore:
        return SqliteLeaseStore(folder / "leases.db", folder / "workers", clock)


class TestMemory(LeaseStoreContract):
    durable = False

    @cached_property
    def shared(self) -> MemoryLeases:
        return MemoryLeases()

    def open_worker(self, folder: Path, clock: Clock) -> LeaseStore:
        return MemoryLeaseStore(f"host:1:{uuid4().hex[:8]}", self.shared, clock)


def test_worker_that_has_ended_holds_nothing_any_more(tmp_path: Path) -> None:
    worker = SqliteLeaseStore(tmp_path / "leases.db", tmp_path / "workers", SystemClock())
    worker.acquire(SAGA, TTL_S)
    worker.close()

    with pytest.raises(StorageBackendError, match="ended"):
        worker.holds(SAGA)


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
