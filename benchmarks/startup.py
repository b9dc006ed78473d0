"""How long the command takes to say what it can do, against importing all that it is made of."""

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
"""Of each side in a round: one is short beside what else a machine does."""

_EVERYTHING = """
import importlib, pkgutil, sagaledger
for module in pkgutil.walk_packages(sagaledger.__path__, "sagaledger."):
    importlib.import_module(module.name)
"""


def against_all_imports(_scratch: Path, rounds: int) -> Iterator[Comparison]:
    """`sagaledger --help` as a process, over one that imports every module and its engines."""
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
