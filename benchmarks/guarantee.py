"""The cost of the guarantee: an ingestion, compared with the same one without log and leases.

The figure with the target is measured: both ledgers run the same nine steps on the same engines,
in turn. They differ only in whether events are encoded and stored durably, and whether a lease is
kept in a file. The ratio is the median over the rounds. Both keep the state of the saga in memory,
because no step can run without it. Read models are updated by queries, not by sagas, so neither
side includes them. The verification is excluded on both sides.

The other figure explains the first: the wall time that the saga's threads spend on deciding,
folding, encoding, storing and reading events and on checking the lease, compared with the same
ingestion without that time. Work in parallel to the threads that write chunks counts in full, so
the figure is too high for files with many chunks; but it is stable from round to round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from threading import Lock, local
from time import perf_counter
from typing import Any

from sagaledger import Ledger, SagaStatus, StreamingSagaConfig, open_ledger
from sagaledger.application.engine.journal import SagaJournal
from sagaledger.infrastructure.event_store import SqliteEventStore, SqliteSnapshotStore
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore

from benchmarks.harness import Comparison, interleaved
from benchmarks.ingest import random_file
from benchmarks.unrecorded import open_unrecorded
from benchmarks.worker import Worker

__all__ = ["against_no_events"]

_MIB = 1024 * 1024
_SIZES_MIB = {300: (1.02, 2), 10: (1.05, 8)}
"""The target, and a factor for the number of rounds: a short ingestion varies more."""
_COUNTED: dict[type[Any], tuple[str, ...]] = {
    SagaJournal: ("claim", "record", "refresh", "append", "stage"),
    SqliteEventStore: ("append", "read_stream", "last_version"),
    SqliteSnapshotStore: ("newest", "keep"),
    SqliteLeaseStore: ("acquire", "renew", "holds", "holder", "release"),
}


def against_no_events(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """The time of all steps except the verification, with and without events."""
    for size_mib, (target, often) in _SIZES_MIB.items():
        source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
        what = f"{size_mib} MiB, without verification"
        with Worker(_both, scratch / f"data-{size_mib}") as worker:
            for recorded in (True, False):
                worker(source, recorded)
            figures = interleaved(
                rounds * often + 1,
                lambda _, s=source, w=worker: w(s, True),  # type: ignore[misc]  # Bound now.
                lambda _, s=source, w=worker: w(s, False),  # type: ignore[misc]  # Bound now.
            )
            yield Comparison(
                "guarantee", what, "without log and leases", *figures, "s", target,
                at_most=True, peak_mib=worker.peak_mib,
            )  # fmt: skip
        with Worker(_clocked, scratch / f"clocked-{size_mib}") as worker:
            worker(source)
            pairs = [worker(source) for _ in range(rounds * often // 2 + 1)]
            yield Comparison(
                "guarantee", what, "less the time in events",
                [whole for whole, _ in pairs], [whole - events for whole, events in pairs], "s",
                None, at_most=True, peak_mib=worker.peak_mib,
            )  # fmt: skip


def _both(data: Path) -> Callable[[Path, bool], float]:
    config = StreamingSagaConfig(again=True)
    unrecorded = data.with_name(f"{data.name}-unrecorded")
    ledgers = {True: open_ledger(data, config), False: open_unrecorded(unrecorded, config)}
    return lambda source, recorded: _unverified_s(ledgers[recorded], source)


def _unverified_s(ledger: Ledger, source: Path) -> float:
    """The total time of all steps except the verification, in seconds."""
    began_s = perf_counter()
    saga = ledger.stream(source)
    whole_s = perf_counter() - began_s
    assert saga.status is SagaStatus.COMPLETED
    document = ledger.document_of(saga)
    assert document is not None
    assert ledger.delete(document).success
    return whole_s - saga.timings_s["verify"]


class _Clock:
    """Sums the time in some methods; nested calls count once."""

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._inside = local()
        self._lock = Lock()

    def watch(self, owner: type[Any], name: str) -> None:
        """Start to measure the time in a method."""
        method: Callable[..., Any] = getattr(owner, name)

        @wraps(method)
        def timed(*arguments: Any, **named: Any) -> Any:
            if getattr(self._inside, "now", False):
                return method(*arguments, **named)
            self._inside.now = True
            began_s = perf_counter()
            try:
                return method(*arguments, **named)
            finally:
                taken_s = perf_counter() - began_s
                self._inside.now = False
                with self._lock:
                    self.spent_s += taken_s

        setattr(owner, name, timed)


def _clocked(data: Path) -> Callable[[Path], tuple[float, float]]:
    clock = _Clock()
    for owner, names in _COUNTED.items():
        for name in names:
            clock.watch(owner, name)
    ledger = open_ledger(data, StreamingSagaConfig(again=True))

    def ingest(source: Path) -> tuple[float, float]:
        clock.spent_s = 0.0
        began_s = perf_counter()
        saga = ledger.stream(source)
        whole_s, events_s = perf_counter() - began_s, clock.spent_s
        document = ledger.document_of(saga)
        assert document is not None
        ledger.delete(document)
        return whole_s - saga.timings_s["verify"], events_s

    return ingest
