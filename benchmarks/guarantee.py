"""What the guarantee costs: an ingestion, against the same one without its events and leases.

The second is not run, for a pipeline that records nothing has no steps that could be resumed: it is
the first without the time that its threads spend deciding, folding, encoding and storing events,
reading them again, and looking at the lease. What runs beside the chunk threads counts in full, so
the cost is rather too high than too low. Verification is left out on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from threading import Lock, local
from time import perf_counter
from typing import Any

from sagaledger import StreamingSagaConfig, open_ledger
from sagaledger.application.journal import SagaJournal
from sagaledger.domain.events import StepCompleted
from sagaledger.infrastructure.event_log import SqliteEventLog
from sagaledger.infrastructure.leases import SqliteLeaseStore

from benchmarks.harness import Comparison
from benchmarks.ingest import random_file
from benchmarks.worker import Worker

__all__ = ["against_no_events"]

_MIB = 1024 * 1024
_TARGETS = {300: 1.02, 10: 1.05}
_COUNTED: dict[type[Any], tuple[str, ...]] = {
    SagaJournal: ("claim", "record", "refresh", "append_to_upload"),
    SqliteEventLog: ("append", "load_saga", "load_upload", "version_of"),
    SqliteLeaseStore: ("acquire", "renew", "holds", "holder", "release"),
}


def against_no_events(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """The time of all steps but the verification, over what is left of it without events."""
    for size_mib, target in _TARGETS.items():
        source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
        with Worker(_clocked, scratch / f"data-{size_mib}") as worker:
            worker(source)
            pairs = [worker(source) for _ in range(rounds)]
            yield Comparison(
                "guarantee", f"{size_mib} MiB, without verification", "the same without events",
                [whole for whole, _ in pairs], [whole - events for whole, events in pairs], "s",
                target, at_most=True, peak_mib=worker.peak_mib,
            )  # fmt: skip


class _Clock:
    """Adds up the time in some methods; one that is called by another counts once."""

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._inside = local()
        self._lock = Lock()

    def watch(self, owner: type[Any], name: str) -> None:
        """Count the time in a method from now on."""
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
        done = ledger.ingest(source)
        whole_s, events_s = perf_counter() - began_s, clock.spent_s
        assert done.saga is not None
        assert done.document is not None
        verified_s = sum(
            recorded.event.duration_s
            for recorded in ledger.log.read_stream(done.saga.saga_id)
            if isinstance(recorded.event, StepCompleted) and recorded.event.step == "verify"
        )
        ledger.delete(done.document)
        return whole_s - verified_s, events_s

    return ingest
