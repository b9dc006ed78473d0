"""The append-only log on the `eventsourcing` library: SQLite for real, memory for embedding.

Glossary:
    stream: the events of one saga, upload or housekeeping list, numbered from 1.
    position: an event's number in the whole log, from 1, never given twice.
    recorder: what the library calls the part that stores and selects rows.
    type name: what a stored event's type is called (`chunk-written/1`), apart from any class.
    upcaster: turns the fields of one version of an event type into those of the next.
"""

from sagaledger.infrastructure.event_store.snapshots import (
    MemorySnapshotStore,
    SqliteSnapshotStore,
)
from sagaledger.infrastructure.event_store.store import MemoryEventStore, SqliteEventStore

__all__ = ["MemoryEventStore", "MemorySnapshotStore", "SqliteEventStore", "SqliteSnapshotStore"]
