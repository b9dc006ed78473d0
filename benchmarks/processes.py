"""Runs a program or a function to its end, and measures its peak memory.

The kernel's figure for an ended child is not usable, because it includes the memory of the process
that started it. Therefore the program's own high-water mark is read while it runs.
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

_SAMPLE_EVERY_S = 0.01
_KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended."""

    returncode: int
    stdout: str
    stderr: str
    peak_mib: float | None
    """The largest resident set up to the last sample, in MiB; None without a sample."""


def run_to_end(command: Sequence[str], env: Mapping[str, str] | None = None) -> Ended:
    """Run a program, and return its outcome for any exit code. Its child processes do not count."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    samples: list[float] = []
    ended = Event()
    sampler = Thread(target=_sample, args=(process.pid, ended, samples))
    sampler.start()
    try:
        stdout, stderr = process.communicate()
    finally:
        ended.set()
        sampler.join()
    return Ended(process.returncode, stdout, stderr, max(samples, default=None))


def peak_mib_of(target: Callable[..., Callable[[], Any]], *arguments: Any) -> float:
    """The peak memory in MiB of a separate process that does this once; `target` as in `Worker`."""
    with Worker(target, *arguments) as worker:
        worker()
        peak_mib: float = worker.peak_mib
    return peak_mib


def _sample(pid: int, ended: Event, samples: list[float]) -> None:
    status = Path(f"/proc/{pid}/status")
    while not ended.wait(_SAMPLE_EVERY_S):
        try:
            lines = status.read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            # The process has ended, or this system has no /proc.
            return
        # A zombie process has no such line, because it has no memory.
        samples += [int(line.split()[1]) / _KIB_PER_MIB for line in lines if line[:6] == "VmHWM:"]
