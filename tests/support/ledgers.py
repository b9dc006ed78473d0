"""Ledgers on real engines for tests, with delays cut short, and the means to break them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.history import runs
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.ports.clock import Clock
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.infrastructure.leases.sqlite_leases import SqliteLeaseStore
from sagaledger.interface.bootstrap.embedded_stores import embedded_services
from sagaledger.interface.certification.port_calls import Interceptor, intercepted
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections

__all__ = ["CHUNK", "QUICK", "all_events", "events_of", "timed_ledger", "what_is_left"]

E = TypeVar("E")
_PORTS = ("log", "chunks", "source", "vectors", "graph", "relational", "manifests")

CHUNK = 64 * 1024
QUICK = StreamingSagaConfig(
    chunk_size_bytes=CHUNK,
    resume_retry_delay_s=0.01,
    store_retry_delay_s=0.01,
    compensation_retry_delay_s=0.01,
)


def timed_ledger(
    data: Path,
    clock: Clock,
    config: StreamingSagaConfig = QUICK,
    interceptors: Sequence[Interceptor] = (),
) -> Ledger:
    """A ledger on real engines with another clock, whose port calls go through interceptors."""
    folder = DataFolder.open(data)
    services = embedded_services(folder, HashingEmbedder(), clock)
    bare = {name: getattr(services, name) for name in _PORTS}
    for name, port in intercepted(bare, interceptors).items():
        setattr(services, name, port)
    leases = SqliteLeaseStore(folder.leases_db, folder.workers, clock)
    return Ledger(services, leases, NoBallast(), open_projections(None, services.log), config)


def all_events(ledger: Ledger) -> list[Event]:
    """The events of the whole log, in order."""
    return [recorded.event for recorded in runs.events_of(ledger.log.read_log(0, 100_000))]


def events_of(ledger: Ledger, kind: type[E]) -> list[E]:
    """The events of one kind in the whole log, in order."""
    return [event for event in all_events(ledger) if isinstance(event, kind)]


def what_is_left(ledger: Ledger) -> dict[str, list[str]]:
    """What every store holds of any saga, asked of the stores and not of the log."""
    services = ledger.services
    left: dict[str, list[str]] = {}
    for store in (services.vectors, services.graph, services.relational, services.manifests):
        left[store.name] = [owner.document_id for owner in store.owners()]
    left["chunks"] = list(services.chunks.prefixes())
    return {name: found for name, found in left.items() if found}
