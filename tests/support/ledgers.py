"""Ledgers on real engines for tests, with delays cut short, and the means to break them."""

from __future__ import annotations

from typing import TypeVar

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.history import runs
from sagaledger.domain.history.envelope import Event
from sagaledger.interface.library.ledger import Ledger

__all__ = ["CHUNK", "QUICK", "all_events", "events_of", "what_is_left"]

E = TypeVar("E")

CHUNK = 64 * 1024
QUICK = StreamingSagaConfig(
    chunk_size_bytes=CHUNK,
    resume_retry_delay_s=0.01,
    store_retry_delay_s=0.01,
    compensation_retry_delay_s=0.01,
)


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
