"""A process of its own for what is measured, so that its memory is its own too.

`Worker(target, *arguments)` runs `target(*arguments)` once in a new process to get a callable, and
then calls that as often as it is asked.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

__all__ = ["Worker"]

_KIB_PER_MIB = 1024


class Worker:
    """A process that does one thing again and again. Use it as a context manager."""

    def __init__(self, target: Callable[..., Callable[..., Any]], *arguments: Any) -> None:
        """Start the process; `target` has to be importable by name."""
        context = multiprocessing.get_context("spawn")
        self._pipe, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, target, arguments))
        self._process.start()
        self.bare_mib: float = self._pipe.recv()
        """Its resident set before its first work, in MiB."""
        self.peak_mib = self.bare_mib
        """The largest one so far, in MiB."""

    def __call__(self, *arguments: Any) -> Any:
        """What the callable returns in the other process."""
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
    pipe.send(_peak_mib())
    while (asked := pipe.recv()) is not None:
        try:
            result = work(*asked)
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            result = error
        pipe.send((result, _peak_mib()))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB
