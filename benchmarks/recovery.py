"""Recovery of 1,000 open sagas with 5 of 9 steps done, after kill -9, from process start."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sagaledger import SagaDefinition, SagaStep, open_ledger
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.values import Parameters

from benchmarks.harness import Comparison, interleaved
from benchmarks.peers import dbos_sagas
from benchmarks.processes import run_to_end
from benchmarks.sagas import saga_definition

__all__ = ["OPEN_SAGAS", "Recovered", "against_dbos_recovery", "recovered_by_us"]

OPEN_SAGAS = 1000
"""The number of open sagas."""
_PARKED_AT = 5
_GIVEN_UP_AFTER_S = 300


class _Ended(BaseException):
    """Ends the work on a saga without recording anything, as a killed process does."""


def against_dbos_recovery(scratch: Path, rounds: int) -> Iterator[Comparison]:
    """The time until the last saga is decided; for our side also until the first one is."""
    settings = {"peer": dbos_sagas.version(), "sagas": str(OPEN_SAGAS)}
    firsts: list[float] = []
    peaks: list[float] = []

    def ours(number: int) -> float:
        recovered = recovered_by_us(scratch / f"ours-{number}")
        firsts.append(recovered.first_s)
        peaks.append(recovered.peak_mib)
        return recovered.last_s

    def theirs(number: int) -> float:
        folder = scratch / f"dbos-{number}"
        folder.mkdir()
        _child("park_dbos", folder)
        return _child("recover_dbos", folder).last_s

    figures = interleaved(rounds, ours, theirs)
    yield Comparison(
        "recovery", "last decided", "DBOS", *figures, "s", 0.1, at_most=True,
        peak_mib=max(peaks), settings=settings,
    )  # fmt: skip
    yield Comparison(
        "recovery", "first decided", "half a second", firsts, [0.5] * rounds, "s", 1.0,
        at_most=True, peak_mib=max(peaks), settings={"sagas": str(OPEN_SAGAS)},
    )  # fmt: skip


class Recovered(NamedTuple):
    """The recovery times of a process, and its peak memory."""

    first_s: float
    last_s: float
    peak_mib: float


def recovered_by_us(folder: Path) -> Recovered:
    """Seconds from process start to the first and the last decided saga, in a new folder."""
    _child("park_ours", folder)
    return _child("recover_ours", folder)


def _child(part: str, folder: Path) -> Recovered:
    """The output of a separate process: seconds from its start to the first and the last end."""
    began_s = time.time()
    command = [sys.executable, "-m", "benchmarks.recovery", part, str(folder), repr(began_s)]
    done = run_to_end(command)
    peak_mib = done.peak_mib or 0.0
    if part.startswith("park"):
        assert done.returncode == -signal.SIGKILL, done.stderr
        return Recovered(0.0, 0.0, peak_mib)
    assert done.returncode == 0, done.stderr
    first, last = map(float, done.stdout.split()[-2:])
    return Recovered(first, last, peak_mib)


def _parked_definition() -> SagaDefinition:
    whole = saga_definition(fails=False)

    def end(_context: StepContext) -> Parameters:
        raise _Ended

    steps = list(whole.steps)
    parked = steps[_PARKED_AT]
    steps[_PARKED_AT] = SagaStep(parked.name, end, parked.compensation, parked.residue)
    return SagaDefinition(whole.name, steps)


def park_ours(folder: Path, _began_s: float) -> None:
    """Leave sagas open after the fifth step, and kill the process."""
    with open_ledger(folder) as ledger:
        definition = _parked_definition()
        for _ in range(OPEN_SAGAS):
            try:
                ledger.run(definition)
            except _Ended:
                continue
        os.kill(os.getpid(), signal.SIGKILL)


def recover_ours(folder: Path, began_s: float) -> None:
    """Recover all sagas."""
    with open_ledger(folder) as ledger:
        ledger.register(saga_definition(fails=False))
        report = ledger.recover()
        last_s = time.time() - began_s
        assert len(report.finished) == OPEN_SAGAS, report
        (row,) = ledger.projector.rows("SELECT min(ended_us) FROM sagas WHERE ended_us>0")
    print(row[0] / 1e6 - began_s, last_s)


def park_dbos(folder: Path, _began_s: float) -> None:
    """Leave workflows pending after the fifth step, and kill the process."""
    from dbos import DBOS

    parked = threading.Semaphore(0)

    def park(_saga_id: str) -> None:
        parked.release()
        threading.Event().wait()

    saga = dbos_sagas.define(park)
    DBOS(config=dbos_sagas.config(folder))
    DBOS.launch()
    for number in range(OPEN_SAGAS):
        threading.Thread(target=saga, args=(f"r-{number}", False), daemon=True).start()
        parked.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def recover_dbos(folder: Path, began_s: float) -> None:
    """Launch, and wait until all are done."""
    from dbos import DBOS

    dbos_sagas.define()
    DBOS(config=dbos_sagas.config(folder))
    DBOS.launch()
    first_s = 0.0
    while time.time() - began_s < _GIVEN_UP_AFTER_S:
        statuses = ("PENDING", "ENQUEUED")
        left = sum(
            len(DBOS.list_workflows(status=status, load_input=False, load_output=False))
            for status in statuses
        )
        if left < OPEN_SAGAS:
            first_s = first_s or time.time() - began_s
        if not left:
            break
        time.sleep(0.25)
    assert not left, f"{left} were not recovered"
    print(first_s, time.time() - began_s)
    sys.stdout.flush()
    DBOS.destroy()


_PARTS = {part.__name__: part for part in (park_ours, recover_ours, park_dbos, recover_dbos)}

if __name__ == "__main__":
    _PARTS[sys.argv[1]](Path(sys.argv[2]), float(sys.argv[3]))
