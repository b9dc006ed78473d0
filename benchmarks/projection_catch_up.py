"""How fast new projections catch up with a long log, compared with the minimum work.

The floor is the minimum for any program that stores these rows: `sqlite3` reads the stored rows,
msgpack decodes each, and plain `executemany` writes the final rows of the read models to the same
tables, in as many transactions as the projector uses. It applies no rules: the final rows are
known beforehand. Reading and decoding without any write is measured too, to show the share of the
writes.

Run `python -m benchmarks.projection_catch_up`. With `--chunks 1 5` the log consists of small files,
where few events are chunks and most change several rows. All variants are measured in turn, several
times in one run, because on a shared machine only ratios within a run are meaningful.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgpack
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.infrastructure.event_store import SqliteEventStore
from sagaledger.infrastructure.event_store.codec import unpack
from sagaledger.projections import open_projections
from sagaledger.projections.engine.tables import Table
from sagaledger.projections.registry import PROJECTIONS

from benchmarks.long_log import write_log

_EVENTS = 200_000
_CHUNKS = (75, 1000)
_ROUNDS = 5
_PAGE = 1000
_ALL_ROWS = (
    "SELECT position, originator_id, version, type, state "
    "FROM stored_events JOIN streams ON number=stream ORDER BY position"
)
_CAME_IN_ORDER = {"chunks": "written_us"}
_DECODING = "plain decoding: read_log in pages"


@dataclass(frozen=True, slots=True)
class Figure:
    """The result of one variant: medians over the rounds."""

    what: str
    events_per_s: float
    seconds: float
    ratio: float
    """The ratio to plain decoding in the same round."""


def read_rows(path: Path) -> int:
    """Read all rows in one statement, unpack each and discard it. Returns the number of rows."""
    with closing(sqlite3.connect(path)) as connection:
        return _unpacked(connection.execute(_ALL_ROWS))


def _unpacked(rows: Iterable[Any]) -> int:
    count = 0
    for *_, state in rows:
        if state[0] == 0:
            msgpack.unpackb(state[1:], strict_map_key=False)
        else:
            unpack(state)
        count += 1
    return count


class FinalRows:
    """The final rows of all projections of a log, and the minimum work that writes them."""

    def __init__(self, log_path: Path, folder: Path) -> None:
        """Project the log once, and keep the rows in memory."""
        self._log_path = log_path
        self._path = folder / "floor.db"
        with closing(SqliteEventStore(log_path)) as log:
            self._pages = -(-log.last_position() // _PAGE)
            projector = open_projections(self._path, log)
            projector.catch_up()
            projector.close()
        tables = [table for projection in PROJECTIONS for table in projection.tables]
        self._tables = [table for table in tables if isinstance(table, Table)]
        with closing(sqlite3.connect(self._path)) as connection:
            self._rows = {
                # In order of insertion: chunk keys start with random upload ids.
                table.name: connection.execute(
                    f"SELECT * FROM {table.name} ORDER BY {_CAME_IN_ORDER.get(table.name, 1)}"
                ).fetchall()
                for table in self._tables
            }
        self._discard()

    def write(self) -> int:
        """The floor: read and decode the log, and write the rows. Returns the number read."""
        count = 0
        with (
            closing(sqlite3.connect(self._log_path)) as source,
            closing(sqlite3.connect(self._path, isolation_level=None)) as connection,
        ):
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            for table in self._tables:
                for statement in table.statements():
                    connection.execute(statement)
            stored = source.execute(_ALL_ROWS)
            for page in range(self._pages):
                count += _unpacked(stored.fetchmany(_PAGE))
                connection.execute("BEGIN IMMEDIATE")
                for table in self._tables:
                    rows = self._rows[table.name]
                    share = slice(*(len(rows) * at // self._pages for at in (page, page + 1)))
                    marks = ",".join("?" * len(table.columns))
                    connection.executemany(
                        f"INSERT INTO {table.name} VALUES ({marks})", rows[share]
                    )
                connection.execute("COMMIT")
        self._discard()
        return count

    def _discard(self) -> None:
        for part in self._path.parent.glob(f"{self._path.name}*"):
            part.unlink()


def decode(log: EventStore) -> int:
    """Every event as readers of the log take it, in runs of one type. Returns the last position."""
    position = 0
    while runs := log.read_log(position, _PAGE):
        position = runs[-1][1][-1].position
    return position


def project(path: Path, log: EventStore) -> int:
    """Build all projections in a new file, from position 0. Returns the position reached."""
    projector = open_projections(path, log)
    try:
        return projector.catch_up()
    finally:
        projector.close()
        for part in path.parent.glob(f"{path.name}*"):
            part.unlink()


def measure(folder: Path, count: int, chunks: range) -> list[Figure]:
    """Measure each variant in turn, round by round, with one log."""
    path = folder / "events.db"
    write_log(path, count, chunks)
    final = FinalRows(path, folder)
    log = SqliteEventStore(path)
    ways: dict[str, Callable[[], int]] = {
        "rows by sqlite3 and msgpack": lambda: read_rows(path),
        "floor: the same, and final rows": final.write,
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
    # Linux reports KiB.
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
        content = {
            "events": chosen.events,
            "chunks": [least, most],
            "rounds": _ROUNDS,
            "peak_memory_bytes": peak_bytes,
            "figures": [asdict(figure) for figure in figures],
        }
        chosen.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
