"""Something that happens at one call of a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagaledger.application.certification.port_calls import Invocation, PortCall

__all__ = ["At"]


class At:
    """Does something once, just before a call goes on."""

    def __init__(self, call: PortCall, act: Callable[[], object]) -> None:
        self._call = call
        self._act = act

    def __call__(self, invocation: Invocation) -> Any:
        if invocation.call == self._call:
            self._act()
        return invocation.proceed()
