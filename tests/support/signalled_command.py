"""Runs the installed command in this process, and kills it in the middle of one port call.

Usage: python -m tests.support.killed_ingest PORT METHOD NUMBER WHEN COMMAND…
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Lock
from typing import Any

from sagaledger.interface import command_line, ledger

__all__ = ["main"]


class KilledAt:
    """A port that ends the process before or after the nth call of one method."""

    def __init__(self, port: Any, method: str, number: int, when: str) -> None:
        self._port = port
        self._method = method
        self._left = number
        self._when = when
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if name != self._method:
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            # Several threads call at once, and exactly one of them is the nth.
            with self._lock:
                self._left -= 1
                is_nth = self._left == 0
            if is_nth and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = attribute(*args, **kwargs)
            if is_nth:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


def main() -> int:
    """Wrap the port of every ledger that is opened, then run the command."""
    port, method, number, when, *command = sys.argv[1:]
    wire = ledger.Ledger.__init__

    def wired(self: ledger.Ledger, services: Any, *args: Any) -> None:
        setattr(services, port, KilledAt(getattr(services, port), method, int(number), when))
        wire(self, services, *args)

    ledger.Ledger.__init__ = wired  # type: ignore[method-assign,assignment]  # Wrapped from outside, in a process of its own.
    sys.argv = ["sagaledger", *command]
    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
