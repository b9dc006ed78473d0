"""How each step of an ingestion, and each undo, is made to fail through its own port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from sagaledger.interface.library.ledger import Ledger
from sagaledger.testing import Fault, FaultInjector, intercepted

from tests.support.faults import break_port, put

__all__ = ["STEPS_UNDONE", "UNDOS", "break_step", "break_undo", "mended_afterwards"]

_CALLS = {
    "validate": ("source", "open"),
    "upload": ("chunks", "create"),
    "verify": ("chunks", "open"),
    "start": ("chunks", "open_prefix"),
    "secure": ("manifests", "put"),
    "vector": ("vectors", "upsert"),
    "graph": ("graph", "upsert"),
    "relational": ("relational", "upsert"),
    "finalize": ("relational", "commit"),
}
_CALLS_AFTER = {
    **_CALLS,
    "validate": ("source file", "close"),
    "upload": ("chunk writer", "commit"),
}
_OPENED_BY = {"source file": "source", "chunk writer": "chunks"}
STEPS_UNDONE = ("validate", "start", "upload", "verify", "secure", "vector", "graph", "relational")
"""The steps before the decision, in order: whichever fails, all is undone."""

UNDOS = {
    "start": ("chunks", "close_prefix"),
    "upload": ("chunks", "delete"),
    "secure": ("manifests", "delete"),
    "vector": ("vectors", "delete"),
    "graph": ("graph", "delete"),
    "relational": ("relational", "delete"),
}
"""The call that undoes a step, by the step."""


def break_step(ledger: Ledger, step: str, fault: Fault) -> None:
    """Make the call fail that a step's effect hangs on."""
    if step == "verify" and fault.after:
        put(ledger, "chunks", _JudgedChunks(ledger.services.chunks, fault))
        return
    port, method = (_CALLS_AFTER if fault.after else _CALLS)[step]
    calls = FaultInjector(always={(port, method): fault})
    behind = _OPENED_BY.get(port, port)
    adapter = getattr(ledger.services, behind)
    put(ledger, behind, intercepted({behind: adapter}, [calls])[behind])


def break_undo(ledger: Ledger, step: str, fault: Fault) -> None:
    """Make the call fail that undoes a step."""
    port, method = UNDOS[step]
    break_port(ledger, port, **{method: fault})


@contextmanager
def mended_afterwards(ledger: Ledger) -> Iterator[None]:
    """On leaving, every port is again what it was."""
    before = {field.name: getattr(ledger.services, field.name) for field in fields(ledger.services)}
    try:
        yield
    finally:
        for name, port in before.items():
            put(ledger, name, port)


class _JudgedChunks:
    """Chunks that fail when they are asked how they were read, once the verdict is there.

    The verdict asks first, and the step's output after it. To the interceptors this is no call.
    """

    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def read_from(self) -> str:
        self._fault.seen += 1
        if self._fault.error is not None and 1 < self._fault.seen <= self._fault.times:
            raise self._fault.error
        told: str = self._inner.read_from
        return told
