"""Something that happens at one call of a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagaledger.interface.certification.port_calls import Invocation, PortCall, intercepted
from sagaledger.interface.library.ledger import Ledger

__all__ = ["At", "when"]

_PORTS = ("source", "chunks", "manifests", "vectors", "graph", "relational")


class At:
    """Does something once, just before a call goes on."""

    def __init__(self, call: PortCall, act: Callable[[], object]) -> None:
        self._call = call
        self._act = act

    def __call__(self, invocation: Invocation) -> Any:
        if invocation.call == self._call:
            self._act()
        return invocation.proceed()


def when(ledger: Ledger, call: PortCall, act: Callable[[], object]) -> None:
    """Do something just before one of the calls that a ledger makes through its ports."""
    ports = {name: getattr(ledger.services, name) for name in _PORTS}
    for name, watched in intercepted(ports, [At(call, act)]).items():
        setattr(ledger.services, name, watched)
