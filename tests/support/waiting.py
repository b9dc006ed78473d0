"""Waiting for what other processes do: until it is so, and never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sagaledger.interface.library.opening import open_ledger

from tests.support.ledgers import QUICK

__all__ = ["wait_for_leases", "wait_until"]

_PATIENCE_S = 60.0
_PAUSE_S = 0.02


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, at most a minute."""
    until_s = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, f"waited in vain until {what}"
        time.sleep(_PAUSE_S)


def wait_for_leases(data: Path) -> None:
    """Wait until nobody has the lease of an open saga: by its end, or by the worker's."""
    with open_ledger(data, QUICK) as ledger:
        leases = ledger.orchestrator.leases
        wait_until(
            lambda: not any(leases.holder(s.saga_id) for s in ledger.directory.open_sagas()),
            "every lease ran out",
        )
