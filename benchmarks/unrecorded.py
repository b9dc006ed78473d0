"""A ledger with a no-op log: the same steps on the same engines, without log and leases.

Events remain objects in memory, neither encoded nor stored, because steps read earlier events.
Leases are a dictionary. No saga could be resumed, undone after a crash, or audited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from uuid import UUID

from sagaledger import Ledger, StreamingSagaConfig
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.runs import EventRun
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.infrastructure.event_store import MemorySnapshotStore
from sagaledger.infrastructure.leases.sqlite_leases import MemoryLeases, MemoryLeaseStore
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.embedded_stores import embedded_services
from sagaledger.projections import open_projections

__all__ = ["open_unrecorded"]


def open_unrecorded(data: Path, config: StreamingSagaConfig) -> Ledger:
    """A ledger in a new data folder, with all engines except the log and the leases."""
    clock = SystemClock()
    services = embedded_services(DataFolder.open(data), HashingEmbedder(), clock)
    services.log.close()
    services.log = _Unrecorded()
    services.snapshots.close()
    services.snapshots = MemorySnapshotStore()
    leases = MemoryLeaseStore("host:1:unrecorded", MemoryLeases(), clock)
    return Ledger(services, leases, NoBallast(), open_projections(None, services.log), config)


class _Unrecorded:
    """The event store port over lists of objects, for one saga at a time."""

    def __init__(self) -> None:
        self._streams: dict[UUID, list[RecordedEvent]] = defaultdict(list)

    def append(self, recorded: Sequence[RecordedEvent]) -> int:
        for item in recorded:
            self._streams[item.originator_id].append(item)
        return 0

    def read_stream(self, stream_id: UUID, after_version: int = 0) -> Iterator[EventRun]:
        after = islice(self._streams[stream_id], after_version, None)
        return ((kind, [*run]) for kind, run in groupby(after, lambda item: type(item.event)))

    def last_version(self, stream_id: UUID) -> int:
        return len(self._streams[stream_id])

    def read_log(self, after_position: int, limit: int) -> Sequence[EventRun]:  # noqa: ARG002 - The port's names.
        return ()

    def last_position(self) -> int:
        return 0

    def close(self) -> None:
        self._streams.clear()
