"""Runs the installed command in this process, and signals it in the middle of one port call.

Usage: python -m tests.support.signalled_command SIGNAL PORT METHOD NUMBER WHEN COMMAND…

Its leases run out after a second, so that nobody has to wait long for those of a stopped process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from threading import Lock
from typing import Any

from sagaledger.interface.cli import app as command_line
from sagaledger.interface.library import ledger

__all__ = ["main"]


class SignalledAt:
    """A port that signals the process before or after the nth call of one method."""

    def __init__(self, number_of_signal: int, port: Any, method: str, number: int, when: str):
        self._signal = number_of_signal
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
                self._signal_this_process()
            result = attribute(*args, **kwargs)
            if is_nth and self._when == "after":
                self._signal_this_process()
            return result

        return call

    def _signal_this_process(self) -> None:
        os.kill(os.getpid(), self._signal)
        # A stop takes hold a moment later: not a step further until then.
        time.sleep(0.2)


def main() -> int:
    """Wrap the port of every ledger that is opened, then run the command."""
    signal_name, port, method, number, when, *command = sys.argv[1:]
    wire = ledger.Ledger.__init__

    def wired(self: ledger.Ledger, services: Any, *args: Any) -> None:
        leases, reserve, projector, config, *more = args
        number_of_signal = signal.Signals[signal_name]
        inner = getattr(services, port)
        signalled = SignalledAt(number_of_signal, inner, method, int(number), when)
        setattr(services, port, signalled)
        wire(self, services, leases, reserve, projector, replace(config, lease_s=1.0), *more)

    ledger.Ledger.__init__ = wired  # type: ignore[method-assign,assignment]  # Wrapped from outside, in a process of its own.
    sys.argv = ["sagaledger", *command]
    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
