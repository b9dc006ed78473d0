"""A separate process for a measurement, so that its memory can be measured.

`Worker(target, *arguments)` calls `target(*arguments)` once in a new process to get a function.
Each call of the worker then calls this function.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Worker"]

_KIB_PER_MIB = 1024


class Worker:
    """A process that calls one function repeatedly. Use it as a context manager."""

    def __init__(self, target: Callable[..., Callable[..., Any]], *arguments: Any) -> None:
        """Start the process; `target` must be importable by name."""
        context = multiprocessing.get_context("spawn")
        self._pipe, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, target, arguments))
        self._process.start()
        self.bare_mib: float = self._pipe.recv()
        """The resident set before the first call, in MiB."""
        self.peak_mib = self.bare_mib
        """The largest resident set so far, in MiB."""

    @property
    def above_bare_mib(self) -> float:
        """The peak memory above that of the bare process, in MiB.

        Raises:
            RuntimeError: the peak is not larger, so it was not measured.
        """
        above_mib: float = self.peak_mib - self.bare_mib
        if above_mib <= 0:
            raise RuntimeError(f"a peak of {self.peak_mib} MiB is not above {self.bare_mib} MiB")
        return above_mib

    def __call__(self, *arguments: Any) -> Any:
        """Call the function in the other process, and return its result."""
        self._pipe.send(arguments)
        result, self.peak_mib = self._pipe.recv()
        if isinstance(result, BaseException):
            raise result
        return result

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send(None)
        self._process.join()


def _serve(
    pipe: Connection, target: Callable[..., Callable[..., Any]], arguments: tuple[Any, ...]
) -> None:
    work = target(*arguments)
    _forget_peak()
    pipe.send(_peak_mib())
    while (asked := pipe.recv()) is not None:
        try:
            result = work(*asked)
        except Exception as error:  # noqa: BLE001 - the caller raises it
            result = error
        pipe.send((result, _peak_mib()))


_FORGET_PEAK = "5"


def _forget_peak() -> None:
    # A peak of the preparation, or of the parent where it is inherited, does not count.
    Path("/proc/self/clear_refs").write_text(_FORGET_PEAK)


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / _KIB_PER_MIB
