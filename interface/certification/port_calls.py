"""Interception of port calls: wraps adapters so that interceptors see every call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from types import TracebackType
from typing import Any, TypeAlias

__all__ = ["Interceptor", "Invocation", "PortCall", "Recorder", "intercepted"]

# Calls whose result is a port too; the calls of the result are intercepted as well.
_OPENED = {
    ("chunks", "create"): "chunk writer",
    ("chunks", "open"): "stored chunk",
    ("source", "open"): "source file",
}


@dataclass(frozen=True, slots=True, order=True)
class PortCall:
    """The nth call of one method of one port in a run."""

    port: str
    method: str
    number: int
    """The number of the call, from 1."""

    def __str__(self) -> str:
        return f"{self.port}.{self.method} #{self.number}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call on its way to the adapter."""

    call: PortCall
    target: Any
    """The adapter itself."""
    arguments: tuple[Any, ...]
    onward: Interceptor
    """The remaining interceptors before the adapter."""

    def proceed(self) -> Any:
        """Pass the call on to the adapter. A returned generator is read to its end."""
        return self.onward(self)

    def repeatable(self) -> Invocation:
        """The same call with arguments that can be iterated more than once."""
        kept = tuple(list(a) if isinstance(a, Iterator) else a for a in self.arguments)
        return replace(self, arguments=kept)


Interceptor: TypeAlias = Callable[[Invocation], Any]
"""Handles a call in place of the adapter; it may pass the call on."""


class Recorder:
    """Lets every call through, and records the calls in a list."""

    def __init__(self) -> None:
        self.calls: list[PortCall] = []

    def __call__(self, invocation: Invocation) -> Any:
        """Note the call and let it through."""
        self.calls.append(invocation.call)
        return invocation.proceed()


def intercepted(ports: Mapping[str, Any], interceptors: Sequence[Interceptor]) -> dict[str, Any]:
    """Wrap the ports: each call passes through the interceptors, in their order."""
    chain: Interceptor = _perform
    for interceptor in reversed(interceptors):
        chain = _linked(interceptor, chain)
    counter = _CallCounter()
    return {name: _Intercepted(inner, name, counter, chain) for name, inner in ports.items()}


@dataclass(slots=True)
class _CallCounter:
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def next(self, port: str, method: str) -> PortCall:
        with self.lock:
            self.seen[port, method] += 1
            return PortCall(port, method, self.seen[port, method])


class _Intercepted:
    """Wraps an adapter and intercepts its calls; callers use it like the adapter."""

    def __init__(
        self, inner: Any, port: str, counter: _CallCounter, interceptor: Interceptor
    ) -> None:
        self._inner = inner
        self._port = port
        self._counter = counter
        self._interceptor = interceptor

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any) -> Any:
            number = self._counter.next(self._port, name)
            result = self._interceptor(Invocation(number, self._inner, arguments, _perform))
            opened = _OPENED.get((self._port, name))
            if opened is None:
                return result
            return _Intercepted(result, opened, self._counter, self._interceptor)

        return call

    def __enter__(self) -> _Intercepted:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inner.__exit__(kind, error, trace)


def _perform(invocation: Invocation) -> Any:
    result = getattr(invocation.target, invocation.call.method)(*invocation.arguments)
    # A generator works only when it is read; that work belongs to the call.
    return iter(list(result)) if isinstance(result, Generator) else result


def _linked(interceptor: Interceptor, onward: Interceptor) -> Interceptor:
    return lambda invocation: interceptor(replace(invocation, onward=onward))
