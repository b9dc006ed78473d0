"""Sagas per second and recovery, compared with Restate's server.

On the failing path step 7 raises, and the six steps before it are undone. After each undo our
engine also runs a residue probe, which the peer does not have.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.harness import Comparison, interleaved
from benchmarks.peers import restate_sagas
from benchmarks.peers.restate_sagas import Restate
from benchmarks.recovery import OPEN_SAGAS, recovered_by_us
from benchmarks.sagas import saga_runner
from benchmarks.worker import Worker

__all__ = ["against_restate"]

_SAGAS = 200
_WARM_UPS = 20
_RATE_TARGET = 2.0
_RECOVERY_TARGET = 0.5
_SENDERS = 16


def against_restate(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """One saga at a time and 8 in parallel, with and without a failure; then a mass recovery."""
    settings = {"peer": restate_sagas.version()}
    with Restate(scratch / "server") as server, Worker(saga_runner, scratch / "ours") as worker:

        def theirs(fails: bool, width: int, sagas: int) -> float:
            began_s = time.perf_counter()
            server.run_many(fails, width, sagas)
            return sagas / (time.perf_counter() - began_s)

        def ours(fails: bool, width: int) -> float:
            began_s = time.perf_counter()
            worker(fails, width, _SAGAS)
            return _SAGAS / (time.perf_counter() - began_s)

        theirs(False, 1, _WARM_UPS)
        for fails in (False, True):
            for width in (1, 8):
                figures = interleaved(
                    rounds,
                    lambda _, f=fails, w=width: ours(f, w),  # type: ignore[misc]  # Bound at once.
                    lambda _, f=fails, w=width: theirs(f, w, _SAGAS),  # type: ignore[misc]  # Bound at once.
                )
                path = "fails at 7" if fails else "success"
                yield Comparison(
                    "restate", f"{path}, {width} at once", "Restate", *figures, "sagas/s",
                    _RATE_TARGET, at_most=False, peak_mib=worker.peak_mib, settings=settings,
                )  # fmt: skip
    peaks: list[float] = []

    def ours_recovered(number: int) -> float:
        recovered = recovered_by_us(scratch / f"recovered-{number}")
        peaks.append(recovered.peak_mib)
        return recovered.last_s

    figures = interleaved(
        rounds,
        ours_recovered,
        lambda number: _recovered(scratch / f"restate-{number}"),
    )
    yield Comparison(
        "restate", "recovery, last decided", "Restate", *figures, "s", _RECOVERY_TARGET,
        at_most=True, peak_mib=max(peaks), settings=settings,
    )  # fmt: skip


def _recovered(folder: Path) -> float:
    """Seconds from the restart of its processes after kill -9 until no saga is open."""
    with Restate(folder, parks=True) as server:
        with ThreadPoolExecutor(_SENDERS) as threads:
            list(threads.map(server.send, [f"r-{number}" for number in range(OPEN_SAGAS)]))
        server.wait_until_parked(OPEN_SAGAS)
        server.kill()
        began_s = time.perf_counter()
        server.start()
        server.wait_until_done()
        return time.perf_counter() - began_s
