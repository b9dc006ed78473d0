"""Nine-step sagas without file data, compared with DBOS on SQLite.

On the failing path step 7 raises, and the six steps before it are undone. After each undo our
engine also runs a residue probe, which the peer does not have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from sagaledger import Residue, SagaDefinition, SagaStatus, SagaStep, open_ledger
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.values import Parameters

from benchmarks.harness import Comparison
from benchmarks.peers import dbos_sagas
from benchmarks.worker import Worker

__all__ = ["against_dbos", "saga_definition", "saga_runner"]

_SAGAS = 150
_Runs: TypeAlias = dict[tuple[bool, int], list[list[float]]]


def against_dbos(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Sagas per second, the 99th percentile, and bytes per saga."""
    settings = {"peer": dbos_sagas.version()}
    ours_at, theirs_at = scratch / "ours", scratch / "dbos"
    with Worker(saga_runner, ours_at) as ours, Worker(dbos_sagas.runner, theirs_at) as theirs:
        sizes = _log_bytes(ours_at), dbos_sagas.stored_bytes(theirs_at)
        mine: _Runs = {}
        others: _Runs = {}
        for fails in (False, True):
            for width in (1, 8):
                for number in range(rounds):
                    pair = [(ours, mine), (theirs, others)]
                    for worker, runs in pair if number % 2 == 0 else pair[::-1]:
                        began_s = time.perf_counter()
                        taken = worker(fails, width, _SAGAS)
                        whole_s = time.perf_counter() - began_s
                        runs.setdefault((fails, width), []).append([whole_s, *taken])
        grown = _log_bytes(ours_at) - sizes[0], dbos_sagas.stored_bytes(theirs_at) - sizes[1]
        peak_mib = ours.peak_mib
    for (fails, width), target in {
        (False, 1): 5.0, (False, 8): 5.0, (True, 1): 4.0, (True, 8): 4.0,
    }.items():  # fmt: skip
        path = "fails at 7" if fails else "success"
        yield Comparison(
            "sagas",
            f"{path}, {width} at once",
            "DBOS",
            [_SAGAS / run[0] for run in mine[fails, width]],
            [_SAGAS / run[0] for run in others[fails, width]],
            "sagas/s",
            target,
            at_most=False,
            peak_mib=peak_mib,
            settings=settings,
        )
    yield Comparison(
        "sagas",
        "p99, 8 at once",
        "DBOS",
        [_p99(run[1:]) * 1000 for run in mine[False, 8]],
        [_p99(run[1:]) * 1000 for run in others[False, 8]],
        "ms",
        0.1,
        at_most=True,
        peak_mib=peak_mib,
        settings=settings,
    )
    count = 4 * rounds * _SAGAS
    yield Comparison(
        "sagas",
        "stored, both paths",
        "DBOS",
        [grown[0] / count],
        [grown[1] / count],
        "bytes/saga",
        1.0,
        at_most=True,
        settings=settings,
    )


def saga_definition(*, fails: bool) -> SagaDefinition:
    """The nine steps; with `fails`, the seventh raises."""

    def act(context: StepContext) -> Parameters:
        return {"step": "done", "ref": context.saga_id.hex}

    def fail(_context: StepContext) -> Parameters:
        raise ValueError("refused")

    def undo(_context: StepContext) -> int:
        return 1

    def probe(_context: StepContext) -> list[Residue]:
        return []

    steps = [
        SagaStep(
            name,
            fail if fails and name == dbos_sagas.FAILS_AT else act,
            compensation=undo,
            residue=probe,
        )
        for name in dbos_sagas.STEPS
    ]
    return SagaDefinition("fails" if fails else "succeeds", steps)


def saga_runner(folder: Path) -> Callable[[bool, int, int], list[float]]:
    """Open a ledger. The returned function runs sagas in parallel and returns their durations."""
    ledger = open_ledger(folder)
    definitions = {fails: saga_definition(fails=fails) for fails in (False, True)}

    def one(fails: bool) -> float:
        began_s = time.perf_counter()
        result = ledger.run(definitions[fails])
        wanted = SagaStatus.COMPENSATED if fails else SagaStatus.COMPLETED
        assert result.status is wanted
        return time.perf_counter() - began_s

    for _ in range(20):
        one(False)

    def run(fails: bool, width: int, count: int) -> list[float]:
        with ThreadPoolExecutor(width) as threads:
            return list(threads.map(one, [fails] * count))

    return run


def _log_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("events.db*"))


def _p99(taken_s: list[float]) -> float:
    return sorted(taken_s)[min(len(taken_s) - 1, len(taken_s) * 99 // 100)]
