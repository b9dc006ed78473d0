"""Growth: ten times the load, and the cost of one more saga after few or very many others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import fmean
from time import perf_counter
from uuid import UUID, uuid4

from sagaledger import open_ledger
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.infrastructure.event_store import SqliteEventStore

from benchmarks.harness import Comparison, interleaved
from benchmarks.ingest import ingester, random_file
from benchmarks.long_log import write_log
from benchmarks.processes import peak_mib_of
from benchmarks.projection_catch_up import decode
from benchmarks.sagas import saga_definition, saga_runner
from benchmarks.worker import Worker

__all__ = ["of_ten_times_as_much"]

_MIB = 1024 * 1024
_TARGET = 10.5
_FILES_MIB = (100, 1000)
_EVENTS = (100_000, 1_000_000)
_SAGAS = (200, 2000)
_SAGAS_BEFORE = (100, 100_000)
_ONE_MORE = 100
"""The number of sagas that are timed for the cost of one."""
_LEAST_ROUNDS = 21
"""For the cost of one more saga: on a shared disk a round varies by a tenth, which is more than the
limits allow. The median of so many rounds varies by less than a hundredth."""
_SMALL_FILES = 5
"""How often a small file is ingested in a round: a single one may take no longer than a stall of
the disk."""
_APPENDED_SAGAS = 500


def of_ten_times_as_much(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Ten times the file, the events and the sagas; then one more saga after many others."""
    yield _of_files(scratch, rounds)
    yield _of_events(scratch, rounds)
    yield _of_sagas(scratch, rounds)
    yield _of_one_more(scratch, rounds)


def _of_files(scratch: Path, rounds: int) -> Comparison:
    small, large = (random_file(scratch / f"{mib}.bin", mib * _MIB) for mib in _FILES_MIB)
    with Worker(ingester, scratch / "files") as worker:
        worker(small)
        figures = interleaved(
            rounds,
            lambda _: worker(large),
            lambda _: fmean(worker(small) for _ in range(_SMALL_FILES)),
        )
        peak_mib = worker.peak_mib
    return _growth("ingest of 1000 MiB", "100 MiB", figures, peak_mib)


def _of_events(scratch: Path, rounds: int) -> Comparison:
    paths = [scratch / f"{count}.db" for count in _EVENTS]
    for path, count in zip(paths, _EVENTS, strict=True):
        write_log(path, count, range(75, 1001))
    with closing(SqliteEventStore(paths[0])) as small, closing(SqliteEventStore(paths[1])) as large:
        figures = interleaved(rounds, lambda _: _replayed(large), lambda _: _replayed(small))
    peak_mib = peak_mib_of(_replayer, paths[1])
    return _growth("replay of 1,000,000 events", "100,000", figures, peak_mib)


def _of_sagas(scratch: Path, rounds: int) -> Comparison:
    few, many = _SAGAS
    with Worker(saga_runner, scratch / "sagas") as worker:
        figures = interleaved(rounds, lambda _: _ran(worker, many), lambda _: _ran(worker, few))
        peak_mib = worker.peak_mib
    return _growth("2,000 sagas", "200", figures, peak_mib)


def _growth(
    what: str, against: str, figures: tuple[list[float], list[float]], peak_mib: float
) -> Comparison:
    return Comparison(
        "growth", what, against, *figures, "s", _TARGET, at_most=True, peak_mib=peak_mib
    )


def _of_one_more(scratch: Path, rounds: int) -> Comparison:
    folders = [scratch / f"after-{count}" for count in _SAGAS_BEFORE]
    for folder, count in zip(folders, _SAGAS_BEFORE, strict=True):
        _fill(folder, count)
    # Write the dirty pages of the preparation now, so that the timed sagas do not wait for them.
    os.sync()
    with Worker(saga_runner, folders[0]) as few, Worker(saga_runner, folders[1]) as many:
        figures = interleaved(
            max(rounds, _LEAST_ROUNDS),
            lambda _: _ran(many, _ONE_MORE),
            lambda _: _ran(few, _ONE_MORE),
        )
        peak_mib = many.peak_mib
    return Comparison(
        "growth", "100 sagas after 100,000", "after 100", *figures, "s", 1.05, at_most=True,
        least=0.95, peak_mib=peak_mib,
    )  # fmt: skip


def _replayer(path: Path) -> Callable[[], float]:
    return partial(_replayed, SqliteEventStore(path))


def _replayed(log: SqliteEventStore) -> float:
    began_s = perf_counter()
    decode(log)
    return perf_counter() - began_s


def _ran(worker: Worker, count: int) -> float:
    began_s = perf_counter()
    worker(False, 1, count)
    return perf_counter() - began_s


def _fill(folder: Path, count: int) -> None:
    """Fill a log with so many completed sagas, each with the events of a real one."""
    with open_ledger(folder) as ledger:
        real = ledger.run(saga_definition(fails=False))
        events = list(events_of(ledger.log.read_stream(real.saga_id)))
        for first in range(1, count, _APPENDED_SAGAS):
            more = min(_APPENDED_SAGAS, count - first)
            ledger.log.append([item for _ in range(more) for item in _copy(events, uuid4())])
        # The timed sagas must not include the time to project these events.
        ledger.projector.catch_up()


def _copy(events: Sequence[RecordedEvent], saga_id: UUID) -> list[RecordedEvent]:
    return [recorded._replace(originator_id=saga_id) for recorded in events]
