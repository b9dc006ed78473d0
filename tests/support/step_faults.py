"""How each step of an ingestion, and each undo, is made to fail through its own port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, cast

from sagaledger.domain.ports.chunk_store import ChunkWriter
from sagaledger.interface.library.ledger import Ledger

from tests.support.faults import Fault, break_port

__all__ = ["STEPS_UNDONE", "UNDOS", "break_step", "break_undo", "mended_afterwards"]

_CALLS = {
    "start": ("chunks", "open_prefix"),
    "secure": ("manifests", "put"),
    "vector": ("vectors", "upsert"),
    "graph": ("graph", "upsert"),
    "relational": ("relational", "upsert"),
    "finalize": ("relational", "commit"),
}
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
    if step == "validate":
        _put(ledger, "source", _UnreadableSources(ledger.services.source, fault))
    elif step == "upload":
        _put(ledger, "chunks", _UnwritableChunks(ledger.services.chunks, fault))
    elif step == "verify":
        _put(ledger, "chunks", _UnverifiableChunks(ledger.services.chunks, fault))
    else:
        port, method = _CALLS[step]
        break_port(ledger, port, **{method: fault})


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
            _put(ledger, name, port)


def _put(ledger: Ledger, port: str, adapter: object) -> None:
    setattr(cast("Any", ledger.services), port, adapter)


def _is_due(fault: Fault) -> bool:
    fault.seen += 1
    return fault.seen <= fault.times


class _Wrapped:
    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _UnreadableSources(_Wrapped):
    """Sources that cannot be opened, or that can and tell nothing of themselves."""

    def open(self, path: str) -> Any:
        if self._fault.after:
            return _SilentSource(self._inner.open(path), self._fault)
        if _is_due(self._fault):
            raise self._fault.error
        return self._inner.open(path)


class _SilentSource(_Wrapped):
    @property
    def fingerprint(self) -> Any:
        if _is_due(self._fault):
            raise self._fault.error
        return self._inner.fingerprint


class _UnwritableChunks(_Wrapped):
    """Chunks that cannot be begun, or that are committed with an error."""

    def create(self, key: str) -> ChunkWriter:
        if self._fault.after:
            return cast("ChunkWriter", _DoubtfulWriter(self._inner.create(key), self._fault))
        if _is_due(self._fault):
            raise self._fault.error
        writer: ChunkWriter = self._inner.create(key)
        return writer


class _DoubtfulWriter(_Wrapped):
    def commit(self) -> str:
        mark: str = self._inner.commit()
        if _is_due(self._fault):
            raise self._fault.error
        return mark


class _UnverifiableChunks(_Wrapped):
    """Chunks that cannot be read, or that fail once the verdict on them is in the log."""

    def open(self, key: str) -> Any:
        if not self._fault.after and _is_due(self._fault):
            raise self._fault.error
        return self._inner.open(key)

    @property
    def read_from(self) -> str:
        # Asked for the verdict first, and after it for the step's output.
        if self._fault.after and _is_due(self._fault) and self._fault.seen > 1:
            raise self._fault.error
        told: str = self._inner.read_from
        return told
