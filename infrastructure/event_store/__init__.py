"""The event store on the `eventsourcing` library: in an SQLite file, or in memory.

Glossary:
    stream: the events of one saga, upload or housekeeping list, numbered from 1.
    position: an event's number in the whole log, from 1, never reused.
    recorder: the library's name for the part that stores and selects rows.
    type name: the stored name of an event type (`chunk-written/1`), independent of any class.
    upcaster: turns the fields of one version of an event type into those of the next.
"""

from sagaledger.infrastructure.event_store.snapshots import (
    MemorySnapshotStore,
    SqliteSnapshotStore,
)
from sagaledger.infrastructure.event_store.store import MemoryEventStore, SqliteEventStore

__all__ = ["MemoryEventStore", "MemorySnapshotStore", "SqliteEventStore", "SqliteSnapshotStore"]
