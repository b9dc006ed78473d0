"""Runs work in a separate process, which may be killed, hang or leave threads behind."""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Ended", "in_process"]

_T = TypeVar("_T")
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended(Generic[_T]):
    """The outcome of work in a process."""

    value: _T | None
    """The result of the work, or None."""
    problem: str = ""
    """Why there is no result: an error, a signal or a timeout."""
    hung: bool = False
    """Whether the process was killed after a timeout."""


def in_process(work: Callable[[], _T], timeout_s: float) -> Ended[_T]:
    """Run the work in a fork of this process, with a time limit. The result is pickled."""
    reader, writer = os.pipe()
    # Exclude all present objects from garbage collection in the fork: it would copy their pages.
    gc.freeze()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _do_and_exit(work, writer)
    os.close(writer)
    try:
        answer = _read_all(reader, time.monotonic() + timeout_s)
    finally:
        os.close(reader)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if answer is None:
        return Ended(None, f"it did not end within {timeout_s:g} s", hung=True)
    if os.WIFSIGNALED(status):
        return Ended(None, f"it was ended by signal {os.WTERMSIG(status)}")
    value, problem = pickle.loads(answer)  # noqa: S301 - our own child wrote it
    return Ended(value, problem)


def _do_and_exit(work: Callable[[], Any], writer: int) -> None:
    code = 1
    try:
        try:
            answer = (work(), "")
        except Exception as error:  # noqa: BLE001 - the parent reports it
            answer = (None, f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        code = 0
    finally:
        # Skip the exit handlers that the fork inherited.
        os._exit(code)


def _read_all(reader: int, until_s: float) -> bytes | None:
    """Read until the other end is closed; None after a timeout."""
    received = bytearray()
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until_s - time.monotonic()))
        if not ready:
            return None
        block = os.read(reader, _READ_BYTES)
        if not block:
            return bytes(received)
        received += block
