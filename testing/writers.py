"""Writers with, without, and after the loss of ownership."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.domain.saga.errors import LeaseLostError

__all__ = ["allowed", "refused", "stopped_past_its_lease"]

_DEADLINE_S = 60.0
_BLOCKED_S = 0.2
"""How long the second writer is observed to wait. A slow machine only shortens the observation."""


def allowed() -> None:
    """The ownership check of a writer that may write."""


def refused() -> None:
    """The ownership check of a writer whose saga another worker drives by now."""
    raise LeaseLostError("0" * 32)


def stopped_past_its_lease(
    write: Callable[[OwnershipCheck], object], take_over: Callable[[OwnershipCheck], object]
) -> None:
    """One writer stops inside its first transaction while another one takes over and writes.

    The first continues once the other has started to wait, and has lost its ownership by then.
    """
    inside, going_on = Event(), Event()

    def check_of_the_stopped() -> None:
        if inside.is_set():
            raise LeaseLostError("stopped")
        inside.set()
        going_on.wait(_DEADLINE_S)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(write, check_of_the_stopped)
        assert inside.wait(_DEADLINE_S), "the store writes without checking the writer's ownership"
        second = threads.submit(take_over, allowed)
        try:
            with suppress(TimeoutError):
                second.result(_BLOCKED_S)
                raise AssertionError("it wrote during an open transaction")
        finally:
            going_on.set()
        second.result(_DEADLINE_S)
        late = first.exception(_DEADLINE_S)
        assert late is None or isinstance(late, LeaseLostError), late
