"""A mixed day: 200 ingests, with all common failures of a day, and their reports.

`python examples/mixed_day.py` makes a data folder of its own and breaks its stores from outside:
chunks that come back changed, a store that is busy once, another that goes away and returns, chunks
that cannot be removed for a while, and processes that are killed. Then it shows the statistics,
the orphans before and after a sweep, the alerts and the reports, and counts the raw events itself:
its exit code is 1 where one figure differs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from sagaledger import Ledger, StorageBackendError, StreamingSagaConfig, open_ledger
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga import events as saga_events
from sagaledger.domain.upload import events as upload_events

CONFIG = StreamingSagaConfig(
    chunk_size_bytes=64 * 1024,
    resume_retry_delay_s=0.01,
    store_retry_delay_s=0.01,
    compensation_retry_delay_s=0.01,
)
WORDS = [
    "heron",
    "marsh",
    "reed",
    "otter",
    "dusk",
    "river",
    "stone",
    "willow",
    "current",
    "bank",
    "feather",
    "shadow",
]


def main() -> int:
    """Run the day, show the reports, and check the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ingests", type=int, default=200, help="how many files (default: 200)")
    parser.add_argument("--data", type=Path, help="keep the data folder, and make it here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data or Path(scratch) / "data"
        files = list(write_files(Path(scratch) / "files", options.ingests))
        live_through(data, files)
        return show(data)


def write_files(folder: Path, count: int) -> Iterator[Path]:
    """Files of text, 2 to 300 KB each, the same on every run."""
    folder.mkdir()
    chance = Random(1)  # noqa: S311 - the same files on every run
    for number in range(count):
        path = folder / f"{number:03d}.txt"
        lines = [" ".join(chance.choices(WORDS, k=12)) for _ in range(chance.randint(25, 4000))]
        path.write_text(f"file {number}\n" + "\n".join(lines))
        yield path


def live_through(data: Path, files: list[Path]) -> None:
    """Ingest each file under the weather of its hour."""
    for number, path in enumerate(files):
        hour = number % 40
        if hour == 20:
            die_in_the_middle(data, path)
            continue
        with open_ledger(data, CONFIG) as ledger:
            ledger.recover()
            with weather(ledger, hour):
                ledger.ingest(path)
    with open_ledger(data, CONFIG) as ledger:
        ledger.recover()


@contextmanager
def weather(ledger: Ledger, hour: int) -> Iterator[None]:
    """What is broken at this hour of the day."""
    services = ledger.services
    if hour in (5, 15):
        services.chunks = Broken(services.chunks, open=changing)
    elif hour == 10:
        services.graph = Broken(services.graph, upsert=failing_once("the graph store is busy"))
    elif 25 <= hour < 29:
        away = failing("the vector store is away")
        services.vectors = Broken(services.vectors, upsert=away, delete=away, count=away)
    elif hour == 32:
        services.chunks = Broken(services.chunks, open=changing, delete=failing("read-only disk"))
    yield


class Broken:
    """A store of which some methods do what they should not."""

    def __init__(self, store: Any, **methods: Callable[..., Any]) -> None:
        self._store = store
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        broken = self._methods.get(name)
        if broken is None:
            return method
        return lambda *arguments: broken(method, *arguments)


def failing(cause: str) -> Callable[..., Any]:
    """A method that fails."""

    def fail(_method: Any, *_arguments: Any) -> Any:
        raise StorageBackendError("broken", "answer", cause)

    return fail


def failing_once(cause: str) -> Callable[..., Any]:
    """A method that fails the first time."""
    calls = count()

    def fail_first(method: Any, *arguments: Any) -> Any:
        if next(calls) == 0:
            raise StorageBackendError("broken", "answer", cause)
        return method(*arguments)

    return fail_first


def changing(method: Any, *arguments: Any) -> Any:
    """A read that gives back other bytes than were written."""
    with method(*arguments) as stored:
        content = bytearray(stored.read())
    content[len(content) // 2] ^= 1
    return BytesIO(bytes(content))


def die_in_the_middle(data: Path, path: Path) -> None:
    """Ingest in a process that is killed as its graph is written."""
    child = multiprocessing.get_context("spawn").Process(target=_die, args=(data, path))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def _die(data: Path, path: Path) -> None:
    def killed(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with open_ledger(data, CONFIG) as ledger:
        ledger.services.graph = Broken(ledger.services.graph, upsert=killed)
        ledger.ingest(path)


def show(data: Path) -> int:
    """Print what the command reports of the day, and compare it with our own count."""
    print("— the day —")
    command(data, "stats")
    print("\n— orphans —")
    command(data, "orphans")
    listed = json.loads(command(data, "orphans", "--json", quiet=True))
    print("\n— alerts —")
    command(data, "alerts")
    alerts = json.loads(command(data, "alerts", "--json", quiet=True))
    print("\n— a sweep, now that the stores are back —")
    stats = json.loads(command(data, "stats", "--json", quiet=True))
    differing = list(differences(counted_from_events(data), stats["total"], len(listed), alerts))
    command(data, "sweep")
    print("\n— orphans, alerts and reports after it —")
    command(data, "orphans")
    command(data, "alerts")
    for report in sorted((data / "reports").iterdir()):
        print(f"{report.name}: {json.loads(report.read_text())['count']} entries")
    after = json.loads(command(data, "stats", "--json", quiet=True))
    differing += differences(counted_from_events(data), after["total"], 0, [])
    print()
    for line in differing:
        print(f"differs: {line}")
    if not differing:
        print("every figure agrees with a count over the raw events, before and after the sweep")
    return 1 if differing else 0


def command(data: Path, *arguments: str, quiet: bool = False) -> str:
    """What the installed command prints."""
    beside = Path(sys.executable).with_name("sagaledger")
    program = str(beside) if beside.exists() else shutil.which("sagaledger") or "sagaledger"
    done = subprocess.run(  # noqa: S603 - our own command
        [program, "--data", str(data), *arguments], capture_output=True, text=True, check=False
    )
    if done.stderr:
        print(done.stderr, file=sys.stderr)
    if not quiet:
        print(done.stdout, end="")
    return done.stdout


def counted_from_events(data: Path) -> dict[str, int]:
    """The figures of the day, counted from nothing but the events."""
    status: dict[str, str] = {}
    residue: dict[tuple[str, str], tuple[Any, ...]] = {}
    figures: Counter[str] = Counter()
    with open_ledger(data, CONFIG) as ledger:
        position = 0
        while batch := [*events_of(ledger.log.read_log(position, 1000))]:
            for recorded in batch:
                take(recorded, status, residue, figures)
            position = batch[-1].position
    ended = Counter(status.values())
    failed = {saga_id for saga_id, outcome in status.items() if outcome == "rollback_failed"}
    left = {(s, r.store, r.ref) for (s, _), found in residue.items() if s in failed for r in found}
    figures["sagas"] = len(status)
    figures["orphans"] = len(left)
    figures["residue"] = len(left)
    for outcome in ("completed", "rolled_back", "rollback_failed", "open"):
        figures[outcome] = ended[outcome]
    return figures


def take(
    recorded: RecordedEvent,
    status: dict[str, str],
    residue: dict[tuple[str, str], tuple[Any, ...]],
    figures: Counter[str],
) -> None:
    """Count one event."""
    saga_id = recorded.originator_id.hex
    match recorded.event:
        case saga_events.SagaStarted() | saga_events.SagaClaimed():
            status[saga_id] = "open"
        case saga_events.SagaCompleted():
            status[saga_id] = "completed"
        case saga_events.SagaCompensated():
            status[saga_id] = "rolled_back"
        case saga_events.SagaCompensationFailed():
            status[saga_id] = "rollback_failed"
        case saga_events.RetryScheduled():
            figures["retries"] += 1
        case saga_events.CompensationAttempted(step, _, removed, found, error):
            figures["compensation_attempts"] += 1
            figures["compensation_attempts_failed"] += bool(found or error)
            figures["removed"] += removed
            residue[saga_id, step] = found
        case upload_events.ChunksDeleted(_, size_bytes):
            figures["removed_bytes"] += size_bytes
        case upload_events.IntegrityFailed():
            figures["integrity_failures"] += 1


def differences(
    counted: dict[str, int], reported: dict[str, Any], orphans: int, alerts: list[dict[str, Any]]
) -> Iterator[str]:
    """Every figure that is not what it should be."""
    for name in (
        "sagas",
        "completed",
        "rolled_back",
        "rollback_failed",
        "open",
        "retries",
        "compensation_attempts",
        "compensation_attempts_failed",
        "removed",
        "removed_bytes",
        "residue",
    ):
        if reported[name] != counted[name]:
            yield f"{name}: counted {counted[name]}, reported {reported[name]}"
    if orphans != counted["orphans"]:
        yield f"orphans: counted {counted['orphans']}, reported {orphans}"
    critical = sum(alert["rule"] == "rollback_failed" for alert in alerts)
    if critical != counted["rollback_failed"]:
        yield f"failed rollbacks: counted {counted['rollback_failed']}, {critical} alerts"


if __name__ == "__main__":
    sys.exit(main())
