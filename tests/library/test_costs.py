"""What a saga and a chunk cost, in counts and not in seconds: a change of them is a decision.

The clock stands still and one chunk is in flight at a time, so every run makes the same calls.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger import SagaDefinition, SagaStep
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import SagaClaimed
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.infrastructure.event_store.codec import EventCodec
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore
from sagaledger.interface.bootstrap.embedded_stores import embedded_services
from sagaledger.interface.certification.port_calls import Recorder, intercepted
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections

from tests.support.ledgers import QUICK

CHUNK = 64 * 1024
STILL = replace(QUICK, chunk_size_bytes=CHUNK, writer_threads=1, again=True)
PORTS = ("log", "chunks", "source", "vectors", "graph", "relational", "manifests")


class StandingClock:
    """A clock whose hands move only while somebody sleeps."""

    def __init__(self) -> None:
        self.us = 1_700_000_000_000_000

    def now_us(self) -> int:
        return self.us

    def monotonic_s(self) -> float:
        return self.us / 1e6

    def sleep(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


class Counted:
    """A ledger on real engines, every call to whose ports is noted."""

    def __init__(self, data: Path) -> None:
        clock = StandingClock()
        folder = DataFolder.open(data)
        services = embedded_services(folder, HashingEmbedder(), clock)
        self._recorder = Recorder()
        ports = intercepted({name: getattr(services, name) for name in PORTS}, [self._recorder])
        for name, port in ports.items():
            setattr(services, name, port)
        leases = SqliteLeaseStore(folder.leases_db, folder.workers, clock)
        projector = open_projections(None, services.log)
        self.ledger = Ledger(services, leases, NoBallast(), projector, STILL)

    def calls(self) -> Counter[str]:
        """The calls since the last time, by port and method."""
        counts = Counter(f"{call.port}.{call.method}" for call in self._recorder.calls)
        self._recorder.calls.clear()
        return counts


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    made = Counted(tmp_path / "data")
    with made.ledger:
        yield made


@contextmanager
def synchronised(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often Python asked the system to make a file or a folder durable."""
    counts: Counter[str] = Counter()

    def counting(name: str, real: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            counts[name] += 1
            real(descriptor)

        return call

    with monkeypatch.context() as patched:
        for name in ("fsync", "fdatasync"):
            patched.setattr(os, name, counting(name, getattr(os, name)))
        yield counts


def ingested(counted: Counted, path: Path, chunks: int) -> Counter[str]:
    """The calls that an ingestion of so many chunks makes."""
    path.write_bytes(os.urandom(chunks * CHUNK))
    counted.calls()
    saga = counted.ledger.ingest(path).saga
    assert saga is not None
    assert saga.status is SagaStatus.COMPLETED
    return counted.calls()


def difference(more: Counter[str], fewer: Counter[str]) -> dict[str, int]:
    return {name: more[name] - fewer[name] for name in more if more[name] != fewer[name]}


def test_chunk_costs_the_same_calls_whatever_their_number(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Counter[str]] = []
    syncs: list[Counter[str]] = []
    for chunks in (2, 7, 12):
        with synchronised(monkeypatch) as synced:
            calls.append(ingested(counted, tmp_path / f"{chunks}.bin", chunks))
        syncs.append(synced)

    per_five = difference(calls[1], calls[0])
    assert {name: count / 5 for name, count in per_five.items()} == {
        "chunks.create": 1,
        "chunk writer.write": 2,
        "chunk writer.commit": 1,
        "chunks.open": 1,
        "stored chunk.readinto": 2,
        "stored chunk.close": 1,
        "source file.read_into": 2,
    }
    assert difference(calls[2], calls[1]) == per_five
    # Its data; its name is made durable with those of its group.
    assert difference(syncs[1], syncs[0]) == {"fdatasync": 5}
    assert difference(syncs[2], syncs[1]) == {"fdatasync": 5}


def test_ingestion_costs_so_many_transactions_of_the_log(counted: Counted, tmp_path: Path) -> None:
    calls = ingested(counted, tmp_path / "a.bin", 3)

    assert calls["log.append"] == 11
    assert calls["chunks.flush"] == 1


def test_saga_costs_one_transaction_per_step_and_one_to_begin(counted: Counted) -> None:
    steps = [SagaStep(f"step-{n}", lambda _: {"n": 1}, lambda _: 1) for n in range(9)]
    counted.calls()

    result = counted.ledger.run(SagaDefinition("any", steps), saga_id=UUID(int=1))

    assert result.status is SagaStatus.COMPLETED
    assert counted.calls()["log.append"] == 10
    recorded = list(events_of(counted.ledger.log.read_stream(UUID(int=1))))
    assert len(recorded) == 22
    # The claim names the worker's machine and process, so its length is theirs.
    told = [item for item in recorded if not isinstance(item.event, SagaClaimed)]
    assert sum(len(EventCodec().encode(item)[1]) for item in told) == 782
