"""The faults of port calls, and their injection."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Lock
from typing import Any, NoReturn

from sagaledger.domain.errors import SagaledgerError, StorageBackendError, StorageFullError
from sagaledger.interface.certification.port_calls import Interceptor, Invocation, PortCall

__all__ = ["Fault", "FaultInjector", "FaultKind", "faults_of"]

_HOUR_US = 3_600_000_000


class FaultKind(StrEnum):
    """A kind of fault. The value is its name in reports."""

    RAISE_BEFORE = "raise before"
    RAISE_AFTER = "raise after the effect"
    TIME_OUT = "time out after the effect"
    DISK_FULL = "disk full"
    PERMISSION = "permission denied"
    SHORT_WRITE = "short write"
    SHORT_READ = "short read"
    TORN_WRITE = "torn write, then crash"
    LOST = "success reported, data lost"
    FLIPPED = "success reported, a bit flipped"
    DUPLICATE = "done twice"
    CLOCK_BACK = "clock jumps back"
    CLOCK_FORWARD = "clock jumps forward"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return self.name.lower().replace("_", "-")

    def is_absorbed_at(self, call: PortCall) -> bool:
        """Whether the program handles the fault without reporting it.

        If the disk is full, an append frees the ballast file and is repeated.
        """
        return self is FaultKind.DISK_FULL and (call.port, call.method) == ("log", "append")

    @property
    def is_raised(self) -> bool:
        """Whether the fault is an exception for the caller."""
        return self in _RAISED


_RAISED = {
    FaultKind.RAISE_BEFORE,
    FaultKind.RAISE_AFTER,
    FaultKind.TIME_OUT,
    FaultKind.DISK_FULL,
    FaultKind.PERMISSION,
}
_ANYWHERE = (
    FaultKind.RAISE_BEFORE,
    FaultKind.RAISE_AFTER,
    FaultKind.TIME_OUT,
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
)
_WRITES = (*_ANYWHERE, FaultKind.DISK_FULL, FaultKind.PERMISSION, FaultKind.DUPLICATE)
_LOSABLE = {"upsert", "put", "delete"}


def faults_of(call: PortCall) -> tuple[FaultKind, ...]:
    """The faults that can happen at a call of this method."""
    match call.port, call.method:
        case "clock", "now_us":
            return (FaultKind.CLOCK_BACK, FaultKind.CLOCK_FORWARD)
        case "clock", _:
            # A monotonic clock has no faults, and a short sleep only makes a retry early.
            return ()
        case ("log", "append") | ("snapshots", "keep"):
            # If the log lost acknowledged events, there would be nothing to check against.
            return _WRITES
        case "chunk writer", "write":
            torn = (FaultKind.SHORT_WRITE, FaultKind.TORN_WRITE, FaultKind.FLIPPED)
            return (*_ANYWHERE, FaultKind.DISK_FULL, FaultKind.PERMISSION, *torn)
        case "chunk writer", "commit":
            return (*_WRITES, FaultKind.LOST)
        case "chunks", "delete" | "list":
            return (*_WRITES, FaultKind.LOST)
        case "chunks", "open_prefix" | "close_prefix" | "flush":
            return _WRITES
        case "stored chunk" | "source file", "close":
            # Closing a file that was only read cannot lose data.
            return (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)
        case "stored chunk", "read" | "readinto":
            return (*_ANYWHERE, FaultKind.FLIPPED)
        case "source file", "read_into":
            return (*_ANYWHERE, FaultKind.SHORT_READ, FaultKind.FLIPPED)
        # What follows are the manifests and the downstream stores.
        case _, method if method in _LOSABLE:
            return (*_WRITES, FaultKind.LOST)
        case _, "commit" | "hide" | "prepare":
            return _WRITES
        case _, _:
            return _ANYWHERE


@dataclass(slots=True)
class Fault:
    """A fault of one's own: an error, something that happens beside the call, or both."""

    error: BaseException | None = None
    """What is raised; the call gets through where this is None."""
    times: float = float("inf")
    """How many calls it happens to."""
    after: bool = False
    """Whether the call has its effect first."""
    also: Callable[[], object] = lambda: None
    """What else happens then."""
    only: Callable[..., bool] = lambda *_: True
    """Asked with the arguments of each call whether it happens to that one."""
    seen: int = field(default=0, init=False)
    """How many calls it could have happened to so far."""
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def strike(self, invocation: Invocation) -> Any:
        """Let the call through, or do to it what is planned."""
        with self._lock:
            is_due = self.only(*invocation.arguments)
            self.seen += is_due
            is_due = is_due and self.seen <= self.times
        if not is_due:
            return invocation.proceed()
        result = invocation.proceed() if self.after else None
        self.also()
        if self.error is not None:
            raise self.error
        return result if self.after else invocation.proceed()


def _kill_this_process() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing runs after SIGKILL")


class FaultInjector:
    """Injects faults at chosen calls, and lets all others through."""

    def __init__(
        self,
        plan: Mapping[PortCall, FaultKind | Fault] | None = None,
        always: Mapping[tuple[str, str], FaultKind | Fault] | None = None,
        marker: str = "injected fault",
        on_fault: Callable[[PortCall, FaultKind], None] = lambda *_: None,
        on_raise: Callable[[PortCall, FaultKind, str], None] = lambda *_: None,
        crash: Callable[[], NoReturn] = _kill_this_process,
    ) -> None:
        """Plan the faults.

        Args:
            plan: the faults at single calls.
            always: the faults at every call of a method, by port and method.
            marker: a text in the injected errors, to find them again.
            on_fault: called before each fault of a known kind.
            on_raise: called with the call and the message before an error is injected.
            crash: ends the process like a power failure; by default with SIGKILL.
        """
        self._plan = plan or {}
        self._always = always or {}
        self._marker = marker
        self._on_fault = on_fault
        self._on_raise = on_raise
        self._crash = crash
        self._clock_offset_us = 0

    def __call__(self, invocation: Invocation) -> Any:
        """Let the call through, or inject the planned fault."""
        call = invocation.call
        kind = self._plan.get(call) or self._always.get((call.port, call.method))
        if isinstance(kind, Fault):
            return kind.strike(invocation)
        if kind is not None:
            self._on_fault(call, kind)
        if (call.port, call.method) == ("clock", "now_us"):
            return self._time(invocation, kind)
        return invocation.proceed() if kind is None else self._inject(invocation, kind)

    def _time(self, invocation: Invocation, kind: FaultKind | None) -> int:
        if kind is FaultKind.CLOCK_BACK:
            self._clock_offset_us -= _HOUR_US
        elif kind is FaultKind.CLOCK_FORWARD:
            self._clock_offset_us += _HOUR_US
        now_us: int = invocation.proceed()
        return now_us + self._clock_offset_us

    def _inject(self, invocation: Invocation, kind: FaultKind) -> Any:
        match kind:
            case FaultKind.CRASH_BEFORE:
                return self._crash()
            case FaultKind.CRASH_AFTER:
                invocation.proceed()
                return self._crash()
            case FaultKind.TORN_WRITE:
                _first_half(invocation).proceed()
                return self._crash()
            case _ if kind.is_raised:
                return self._raise(invocation, kind)
            case _:
                return _SILENT[kind](invocation)

    def _raise(self, invocation: Invocation, kind: FaultKind) -> NoReturn:
        call = invocation.call
        if kind in (FaultKind.RAISE_AFTER, FaultKind.TIME_OUT):
            invocation.proceed()
        message = f"{self._marker} at {call}" if call in self._plan else self._marker
        self._on_raise(call, kind, message)
        match kind:
            case FaultKind.TIME_OUT:
                raise TimeoutError(errno.ETIMEDOUT, message)
            case FaultKind.PERMISSION:
                raise PermissionError(errno.EACCES, message)
            case FaultKind.DISK_FULL:
                raise StorageFullError(call.port, call.method, message)
            case _:
                raise StorageBackendError(call.port, call.method, message)


def _duplicate(invocation: Invocation) -> Any:
    invocation = invocation.repeatable()
    result = invocation.proceed()
    try:
        invocation.proceed()
    except SagaledgerError:
        # The caller sees only the first result, as when a network repeats a request.
        return result
    return result


def _lose_effect(invocation: Invocation) -> Any:
    target, arguments = invocation.target, invocation.arguments
    match invocation.call.method:
        case "upsert" | "put":
            result = invocation.proceed()
            target.delete(getattr(arguments[0], "owner", arguments[0]))
            return result
        case "delete" if invocation.call.port == "chunks":
            return True
        case "delete":
            return target.count(arguments[0])
        case "commit":
            target.abort()
            return ""
        case "list":
            return iter(list(invocation.proceed())[:-1])
        case method:
            raise ValueError(f"{method} has no effect to lose")


def _first_half(invocation: Invocation) -> Invocation:
    block = memoryview(invocation.arguments[-1])
    return replace(invocation, arguments=(*invocation.arguments[:-1], block[: len(block) // 2]))


def _flip_bit(invocation: Invocation) -> Any:
    buffer = invocation.arguments[-1]
    if invocation.call.method == "write":
        changed = bytearray(buffer)
        _flip_first(changed)
        return replace(invocation, arguments=(changed,)).proceed()
    result = invocation.proceed()
    if isinstance(result, bytes):
        changed = bytearray(result)
        _flip_first(changed)
        return bytes(changed)
    if result:
        _flip_first(buffer)
    return result


def _flip_first(buffer: bytearray | memoryview) -> None:
    if buffer:
        buffer[0] ^= 1


def _transfer_half(invocation: Invocation) -> Any:
    return _first_half(invocation).proceed()


_SILENT: dict[FaultKind, Interceptor] = {
    FaultKind.DUPLICATE: _duplicate,
    FaultKind.LOST: _lose_effect,
    FaultKind.SHORT_WRITE: _transfer_half,
    FaultKind.SHORT_READ: _transfer_half,
    FaultKind.FLIPPED: _flip_bit,
}
