"""Work in a process of its own, so that it can be killed, hang or leave threads behind."""

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
    """What came of work in a process."""

    value: _T | None
    """What it returned, or None."""
    problem: str = ""
    """Why it returned nothing: an error, a signal, or that it took too long."""
    hung: bool = False
    """Whether it was ended because it took too long."""


def in_process(work: Callable[[], _T], patience_s: float) -> Ended[_T]:
    """Do the work in a copy of this process, for at most so long. What it returns is pickled."""
    reader, writer = os.pipe()
    # What is there now is not looked at again by the copy's collector, which would copy every page.
    gc.freeze()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _do_and_exit(work, writer)
    os.close(writer)
    try:
        answer = _read_all(reader, time.monotonic() + patience_s)
    finally:
        os.close(reader)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if answer is None:
        return Ended(None, f"it did not end within {patience_s:g} s", hung=True)
    if os.WIFSIGNALED(status):
        return Ended(None, f"it was ended by signal {os.WTERMSIG(status)}")
    value, problem = pickle.loads(answer)  # noqa: S301 - our own child wrote it
    return Ended(value, problem)


def _do_and_exit(work: Callable[[], Any], writer: int) -> None:
    code = 1
    try:
        try:
            answer = (work(), "")
        except Exception as error:  # noqa: BLE001 - the parent is told
            answer = (None, f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        code = 0
    finally:
        # Without the clean-up of the process that this one is a copy of.
        os._exit(code)


def _read_all(reader: int, until_s: float) -> bytes | None:
    """All that comes until the other end is closed; None if that takes too long."""
    received = bytearray()
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until_s - time.monotonic()))
        if not ready:
            return None
        block = os.read(reader, _READ_BYTES)
        if not block:
            return bytes(received)
        received += block
