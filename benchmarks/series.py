"""The lines of the plots: our figures, peers and floors, over sizes and widths.

Each case yields the lines of one plot, with the name of the plot's file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from sagaledger.infrastructure.event_store import SqliteEventStore

from benchmarks import floors
from benchmarks.data_path import sent_and_read_back
from benchmarks.harness import LeftOut, Result, Series, in_turn, settled
from benchmarks.ingest import copied, ingester, random_file
from benchmarks.long_log import write_log
from benchmarks.peers import dbos_sagas, restate_sagas
from benchmarks.projection_catch_up import decode, read_rows
from benchmarks.sagas import saga_runner
from benchmarks.worker import Worker

__all__ = ["memory_by_size", "replay_by_length", "sagas_by_width", "time_by_size"]

_MIB = 1024 * 1024
_MOST_ROUNDS = 3
"""A few rounds are enough to show the shape of a line with many points."""
_TIMED_MIB = (10, 50, 100, 300, 1024)
_WEIGHED_MIB = (50, 300, 1024, 5 * 1024)
_ONCE_FROM_MIB = 5 * 1024
_WIDTHS = (1, 2, 4, 8, 16)
_SAGAS = 96
_EVENTS = (10_000, 100_000, 1_000_000)

_Runner = Callable[[bool, int, int], object]
"""Runs sagas. Arguments: whether they fail, how many run in parallel, how many in total."""


def time_by_size(scratch: Path, rounds: int) -> Iterator[Result]:
    """The time of an ingestion, with the bare data path and a durable copy as floors."""
    points: list[list[list[float]]] = []
    with Worker(ingester, scratch / "data") as worker:
        for size_mib in _TIMED_MIB:
            source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
            ways: list[Callable[[int], float]] = [
                lambda _, source=source: float(worker(source)),  # type: ignore[misc]  # A default cannot be typed in a lambda.  # Bound at once.
                lambda _, source=source: sent_and_read_back(source, scratch / "chunks"),  # type: ignore[misc]  # A default cannot be typed in a lambda.
                lambda _, source=source: copied(source, scratch / "copy"),  # type: ignore[misc]  # A default cannot be typed in a lambda.
            ]
            points.append(in_turn(min(rounds, _MOST_ROUNDS), list(map(settled, ways))))
            source.unlink()
    ours, bare, copy = zip(*points, strict=True)
    line = partial(Series, "series-time", "time-by-size", x=_TIMED_MIB)
    yield line("sagaledger, all nine steps", figures=ours)
    yield line("the bare data path", figures=bare, is_floor=True, settings=floors.DATA_PATH)
    yield line("cp + sync", figures=copy, is_floor=True, settings=floors.copying())


def memory_by_size(scratch: Path, rounds: int) -> Iterator[Result]:
    """The peak memory of a separate process for each ingestion, above its memory before; the
    largest file once.
    """
    figures: list[list[float]] = []
    for size_mib in _WEIGHED_MIB:
        source = random_file(scratch / f"{size_mib}.bin", size_mib * _MIB)
        times = 1 if size_mib >= _ONCE_FROM_MIB else min(rounds, _MOST_ROUNDS)
        figures.append([_peak_above_mib(scratch / "data", source) for _ in range(times)])
        source.unlink()
    yield Series("series-memory", "memory-by-size", "sagaledger", _WEIGHED_MIB, figures)


def _peak_above_mib(data: Path, source: Path) -> float:
    with Worker(ingester, data) as worker:
        worker(source)
        above_mib: float = worker.peak_mib - worker.bare_mib
    shutil.rmtree(data)
    return above_mib


def sagas_by_width(scratch: Path, rounds: int) -> Iterator[Result]:
    """Sagas per second by parallelism; peers that are not installed are left out."""
    runners: dict[str, tuple[_Runner, Mapping[str, str]]] = {}
    with ExitStack() as open_peers:
        ours = open_peers.enter_context(Worker(saga_runner, scratch / "ours"))
        runners["sagaledger"] = ours, {}
        try:
            version = dbos_sagas.version()
            dbos = open_peers.enter_context(Worker(dbos_sagas.runner, scratch / "dbos"))
            runners["DBOS"] = dbos, {"peer": version}
        except ImportError as error:
            yield LeftOut("series-sagas", str(error))
        try:
            version = restate_sagas.version()
            server = open_peers.enter_context(restate_sagas.Restate(scratch / "restate"))
            runners["Restate"] = server.run_many, {"peer": version}
        except ImportError as error:
            yield LeftOut("series-sagas", str(error))
        for runner, _ in runners.values():
            _rate(runner, max(_WIDTHS), -1)
        points = [
            in_turn(
                min(rounds, _MOST_ROUNDS),
                [partial(_rate, runner, width) for runner, _ in runners.values()],
            )
            for width in _WIDTHS
        ]
    for (name, (_, settings)), figures in zip(
        runners.items(), zip(*points, strict=True), strict=True
    ):
        yield Series("series-sagas", "sagas-by-width", name, _WIDTHS, figures, settings=settings)


def _rate(runner: _Runner, width: int, _round: int) -> float:
    """Sagas per second."""
    began_s = perf_counter()
    runner(False, width, _SAGAS)
    return _SAGAS / (perf_counter() - began_s)


def replay_by_length(scratch: Path, rounds: int) -> Iterator[Result]:
    """Events per second read back from logs of these lengths, ours and the floor."""
    points: list[Sequence[Sequence[float]]] = []
    for count in _EVENTS:
        path = scratch / f"{count}.db"
        write_log(path, count, range(75, 1001))
        with Worker(_log_reader, path) as ours, Worker(_row_reader, path) as floor:
            ways = [partial(_events_per_s, reader, count) for reader in (ours, floor)]
            points.append(in_turn(min(rounds, _MOST_ROUNDS), ways))
    ours_at, floor_at = zip(*points, strict=True)
    line = partial(Series, "series-replay", "replay-by-length", x=_EVENTS)
    yield line("sagaledger", figures=ours_at)
    yield line("sqlite3 and msgpack", figures=floor_at, is_floor=True, settings=floors.READING)


def _log_reader(path: Path) -> Callable[[], int]:
    return partial(decode, SqliteEventStore(path))


def _row_reader(path: Path) -> Callable[[], int]:
    return partial(read_rows, path)


def _events_per_s(reader: Callable[[], Any], count: int, _round: int) -> float:
    began_s = perf_counter()
    assert reader() == count
    return count / (perf_counter() - began_s)
