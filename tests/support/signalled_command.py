"""Runs the installed command in this process, and signals it in the middle of one port call.

Usage: python -m tests.support.signalled_command SIGNAL PORT METHOD NUMBER WHEN COMMAND…

Its leases run out after a second, so that nobody has to wait long for those of a stopped process.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import partial
from typing import Any

from sagaledger.interface.cli import app as command_line
from sagaledger.interface.library import ledger
from sagaledger.testing.faults import Fault, FaultInjector, PortCall, intercepted

__all__ = ["main"]


def signal_this_process(number: int) -> None:
    """Send the signal, and go not a step further while the process is stopped or being killed."""
    os.kill(os.getpid(), number)
    if number == signal.SIGSTOP:
        # A stop may take hold a moment later; only then can somebody continue the process.
        signal.sigwait({signal.SIGCONT})
    elif number == signal.SIGKILL:
        signal.pause()


def main() -> int:
    """Wrap the port of every ledger that is opened, then run the command."""
    signal_name, port, method, number, when, *command = sys.argv[1:]
    wire = ledger.Ledger.__init__
    # Blocked in every thread, so that a continuation waits for the one that stopped the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
    due = Fault(
        also=partial(signal_this_process, signal.Signals[signal_name]), after=when == "after"
    )
    injector = FaultInjector({PortCall(port, method, int(number)): due})

    def wired(self: ledger.Ledger, services: Any, *args: Any) -> None:
        leases, reserve, projector, config, *more = args
        signalled = intercepted({port: getattr(services, port)}, [injector])
        setattr(services, port, signalled[port])
        wire(self, services, leases, reserve, projector, replace(config, lease_s=1.0), *more)

    ledger.Ledger.__init__ = wired  # type: ignore[method-assign,assignment]  # Wrapped from outside, in a process of its own.
    sys.argv = ["sagaledger", *command]
    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
