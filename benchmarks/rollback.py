"""A rollback from step 8 with 300 MiB in the stores, compared with the time of its forward path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sagaledger import SagaStatus, StorageBackendError, StreamingSagaConfig, open_ledger
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import RollbackRequired, SagaCompensated, SagaStarted

from benchmarks.harness import Comparison
from benchmarks.ingest import random_file
from benchmarks.worker import Worker

__all__ = ["against_forward_path"]

_SIZE_BYTES = 300 * 1024 * 1024


def against_forward_path(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Both durations, from the times of the events in the log."""
    source = random_file(scratch / "300.bin", _SIZE_BYTES)
    with Worker(_failing, scratch / "data") as worker:
        worker(source)
        pairs = [worker(source) for _ in range(rounds)]
        yield Comparison(
            "rollback", "300 MiB, from step 8", "its forward path",
            [back for _, back in pairs], [forward for forward, _ in pairs], "s", 0.5,
            at_most=True, peak_mib=worker.peak_mib,
        )  # fmt: skip


class _Refusing:
    """A relational store that writes everything and then raises an error."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def upsert(self, *arguments: Any) -> int:
        self._store.upsert(*arguments)
        raise StorageBackendError("relational", "upsert", "refused")


def _failing(data: Path) -> Callable[[Path], tuple[float, float]]:
    ledger = open_ledger(data, StreamingSagaConfig(again=True, store_attempts=1))
    ledger.services.relational = _Refusing(ledger.services.relational)

    def ingest(source: Path) -> tuple[float, float]:
        saga = ledger.ingest(source).saga
        assert saga is not None
        assert saga.status is SagaStatus.COMPENSATED
        times = {
            type(recorded.event): recorded.at_us
            for recorded in events_of(ledger.log.read_stream(saga.saga_id))
        }
        decided_us = times[RollbackRequired]
        forward_us = decided_us - times[SagaStarted]
        return forward_us / 1e6, (times[SagaCompensated] - decided_us) / 1e6

    return ingest
