"""Faults in front of a ledger's real adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.interface.library.ledger import Ledger
from sagaledger.testing import Fault, FaultInjector, FaultKind, PortCall, intercepted, with_faults

__all__ = ["Fault", "FaultyChunks", "break_port", "forget_what_is_written", "put", "when"]

_PORTS = ("source", "chunks", "manifests", "vectors", "graph", "relational")


def put(ledger: Ledger, port: str, adapter: object) -> None:
    """Give a ledger another adapter behind a port."""
    setattr(cast("Any", ledger.services), port, adapter)


def break_port(ledger: Ledger, port: str, **faults: Fault | FaultKind) -> None:
    """Put faults in front of methods of one of the ledger's ports."""
    put(ledger, port, with_faults(getattr(ledger.services, port), port, **faults))


def forget_what_is_written(ledger: Ledger, port: str) -> None:
    """Make a store say yes to every upsert and keep nothing."""
    break_port(ledger, port, upsert=FaultKind.LOST)


def when(ledger: Ledger, call: PortCall, act: Callable[[], object]) -> None:
    """Do something just before one of the calls that a ledger makes through its ports."""
    ports = {name: getattr(ledger.services, name) for name in _PORTS}
    for name, watched in intercepted(ports, [FaultInjector({call: Fault(also=act)})]).items():
        put(ledger, name, watched)


class FaultyChunks:
    """Switches before a ledger's chunk store: which chunks cannot be made, removed or listed."""

    def __init__(self, ledger: Ledger) -> None:
        self.fail_creates: set[int] = set()
        """Numbers of calls, from 1 since `creates` was last set to 0."""
        self.fail_deletes: set[int] = set()
        """Indexes of chunks."""
        self.fail_lists = False
        self.full = False
        self.fail_commits = False
        self.creates = 0
        bare = {"chunks": ledger.services.chunks}
        put(ledger, "chunks", intercepted(bare, [FaultInjector(always=self._faults())])["chunks"])

    def _faults(self) -> Mapping[tuple[str, str], Fault]:
        no_room = StorageFullError("chunks", "write", "No space left on device")
        return {
            ("chunks", "create"): _refused("create", self._is_create_refused),
            ("chunks", "delete"): _refused("delete", self._is_delete_refused),
            ("chunks", "list"): _refused("list", lambda _: self.fail_lists),
            ("chunk writer", "write"): Fault(no_room, only=lambda _: self.full),
            ("chunk writer", "commit"): _refused("commit", lambda: self.fail_commits),
        }

    def _is_create_refused(self, _: str) -> bool:
        self.creates += 1
        return self.creates in self.fail_creates

    def _is_delete_refused(self, key: str) -> bool:
        return int(key.rpartition("/")[2]) in self.fail_deletes


def _refused(operation: str, only: Callable[..., bool]) -> Fault:
    return Fault(StorageBackendError("chunks", operation, "injected"), only=only)
