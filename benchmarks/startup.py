"""The time of `sagaledger --help`, compared with importing every module."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Comparison, interleaved
from benchmarks.processes import run_to_end

__all__ = ["against_all_imports"]

_TARGET = 0.3
_RUNS = 5
"""Runs of each side per round: a single run is short compared with other load on a machine."""

_EVERYTHING = """
import importlib, pkgutil, sagaledger
def imported(package):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        # The test classes need pytest, which an installed program does not have.
        if module.name != "sagaledger.testing":
            found = importlib.import_module(module.name)
            if module.ispkg:
                imported(found)
imported(sagaledger)
"""


def against_all_imports(_scratch: Path, rounds: int) -> Iterator[Comparison]:
    """`sagaledger --help` as a process, compared with one that imports every module."""
    command = Path(sys.executable).with_name("sagaledger")
    help_of_all = (str(command), "--help")
    everything = (sys.executable, "-c", _EVERYTHING)
    for warm_up in (help_of_all, everything):
        _taken(warm_up)
    figures = interleaved(rounds, lambda _: _taken(help_of_all), lambda _: _taken(everything))
    yield Comparison(
        "startup", "--help", "importing everything", *figures, "s", _TARGET, at_most=True,
        peak_mib=run_to_end(help_of_all).peak_mib,
    )  # fmt: skip


def _taken(command: Sequence[str]) -> float:
    began_s = time.perf_counter()
    for _ in range(_RUNS):
        subprocess.run(command, capture_output=True, check=True)
    return (time.perf_counter() - began_s) / _RUNS
