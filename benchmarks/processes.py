"""Runs a program or a piece of work to its end, and tells the most memory that it had.

What the kernel says of an ended child is no measure of it: the figure begins with the memory of the
process that started it. So the high-water mark of the program itself is read while it runs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from benchmarks.worker import Worker

__all__ = ["Ended", "peak_mib_of", "run_to_end"]

_LOOKED_AT_EVERY_S = 0.01
_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended."""

    returncode: int
    stdout: str
    stderr: str
    peak_mib: float | None
    """The most that was resident up to the last look, in MiB; None where no look succeeded."""


def run_to_end(command: Sequence[str], env: Mapping[str, str] | None = None) -> Ended:
    """Run a program, whatever its exit code. Programs that it starts do not count."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    looks: list[float] = []
    ended = Event()
    looking = Thread(target=_look, args=(process.pid, ended, looks))
    looking.start()
    try:
        stdout, stderr = process.communicate()
    finally:
        ended.set()
        looking.join()
    return Ended(process.returncode, stdout, stderr, max(looks, default=None))


def peak_mib_of(target: Callable[..., Callable[[], Any]], *arguments: Any) -> float:
    """What a process of its own comes to that does this once, in MiB; `target` as of a `Worker`."""
    with Worker(target, *arguments) as worker:
        worker()
        peak_mib: float = worker.peak_mib
    return peak_mib


def _look(pid: int, ended: Event, looks: list[float]) -> None:
    status = Path(f"/proc/{pid}/status")
    while not ended.wait(_LOOKED_AT_EVERY_S):
        try:
            lines = status.read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            # It has ended, or this system tells nothing of processes.
            return
        # One that has ended, and that nobody has asked for its exit code, has no memory any more.
        looks += [int(line.split()[1]) / _KIB_PER_MIB for line in lines if line[:6] == "VmHWM:"]
