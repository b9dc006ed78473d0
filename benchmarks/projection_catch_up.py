"""How fast new projections catch up with a long log, held against reading the log at all.

Run `python -m benchmarks.projection_catch_up`; with `--chunks 1 5` the log is of small files, where
few events are chunks and most change several rows. All ways are measured in turn, several times in
one run, because only ratios within a run say anything on a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgpack
from sagaledger.domain.ports import EventLog
from sagaledger.infrastructure.event_log import SqliteEventLog
from sagaledger.infrastructure.event_log.codec import unpack
from sagaledger.projections import open_projections

from benchmarks.long_log import write_log

_EVENTS = 200_000
_CHUNKS = (75, 1000)
_ROUNDS = 5
_PAGE = 1000
_DECODING = "plain decoding: read_log in pages"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way came to: medians over the rounds."""

    what: str
    events_per_s: float
    seconds: float
    ratio: float
    """To plain decoding in the same round."""


def read_rows(path: Path) -> int:
    """The floor: all rows in one statement, each unpacked and thrown away. Returns how many."""
    count = 0
    with closing(sqlite3.connect(path)) as connection:
        for *_, state in connection.execute(
            "SELECT position, originator_id, version, type, state "
            "FROM stored_events JOIN streams ON number=stream ORDER BY position"
        ):
            if state[0] == 0:
                msgpack.unpackb(state[1:], strict_map_key=False)
            else:
                unpack(state)
            count += 1
    return count


def decode(log: EventLog) -> int:
    """Every event as the object that it is. Returns the last one's position."""
    position = 0
    while page := log.read_log(position, _PAGE):
        position = page[-1].position
    return position


def project(path: Path, log: EventLog) -> int:
    """All projections, in a new file, from position 0. Returns the position reached."""
    projector = open_projections(path, log)
    try:
        return projector.catch_up()
    finally:
        projector.close()
        for part in path.parent.glob(f"{path.name}*"):
            part.unlink()


def measure(folder: Path, count: int, chunks: range) -> list[Figure]:
    """Each way in turn, round by round, over one log."""
    path = folder / "events.db"
    write_log(path, count, chunks)
    log = SqliteEventLog(path)
    ways: dict[str, Callable[[], int]] = {
        "floor: rows by sqlite3 and msgpack": lambda: read_rows(path),
        _DECODING: lambda: decode(log),
        "all projections into a new file": lambda: project(folder / "projections.db", log),
    }
    times: dict[str, list[float]] = {what: [] for what in ways}
    for _ in range(_ROUNDS):
        for what, way in ways.items():
            began_s = time.perf_counter()
            reached = way()
            times[what].append(time.perf_counter() - began_s)
            assert reached == count, f"{what}: {reached} of {count}"
    log.close()
    return [_figure(what, times, count) for what in ways]


def _figure(what: str, times: Mapping[str, Sequence[float]], count: int) -> Figure:
    seconds = median(times[what])
    ratios = [own / plain for own, plain in zip(times[what], times[_DECODING], strict=True)]
    return Figure(what, count / seconds, seconds, median(ratios))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=_EVENTS, help="length of the log")
    parser.add_argument(
        "--chunks",
        type=int,
        nargs=2,
        default=_CHUNKS,
        metavar=("LEAST", "MOST"),
        help="chunks of an upload",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    chosen = parser.parse_args()
    least, most = chosen.chunks
    with TemporaryDirectory() as folder:
        figures = measure(Path(folder), chosen.events, range(least, most + 1))
    # Linux tells it in KiB.
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{chosen.events} events, {least} to {most} chunks a file, medians of {_ROUNDS} rounds")
    print(f"  {'':36}{'events/s':>10}{'seconds':>9}{'x decoding':>12}")
    for figure in figures:
        print(
            f"  {figure.what:36}{figure.events_per_s:10,.0f}{figure.seconds:9.2f}"
            f"{figure.ratio:12.2f}"
        )
    print(f"  peak memory of the process: {peak_bytes / 2**20:.0f} MiB")
    if chosen.json:
        told = {
            "events": chosen.events,
            "chunks": [least, most],
            "rounds": _ROUNDS,
            "peak_memory_bytes": peak_bytes,
            "figures": [asdict(figure) for figure in figures],
        }
        chosen.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
