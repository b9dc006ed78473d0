"""Our event stores keep what every event store promises; and what only SQLite's does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import SagaPaused, SagaStarted
from sagaledger.infrastructure.errors import DatabaseCorruptError
from sagaledger.infrastructure.event_store import MemoryEventStore, SqliteEventStore
from sagaledger.infrastructure.event_store.sqlite_recorder import SqliteRecorder
from sagaledger.testing import EventStoreContract

ONE = UUID(int=1)


class TestSqlite(EventStoreContract):
    def open_store(self, folder: Path) -> EventStore:
        return SqliteEventStore(folder / "events.db")


class TestMemory(EventStoreContract):
    durable = False

    def open_store(self, folder: Path) -> EventStore:
        return MemoryEventStore()


def started() -> SagaStarted:
    return SagaStarted("demo", 1, ("a",), {"n": 1}, 0.0)


def recorded(stream: UUID, first: int, *events: Event) -> list[RecordedEvent]:
    return [
        RecordedEvent(stream, version, 1_000_000 + version, "worker", 0, event)
        for version, event in enumerate(events, first)
    ]


def pauses(stream: UUID, first: int, count: int) -> list[RecordedEvent]:
    return recorded(stream, first, *[SagaPaused(f"ann {first + n}") for n in range(count)])


def versions(log: EventStore, stream: UUID, after: int = 0) -> list[int]:
    return [item.originator_version for item in events_of(log.read_stream(stream, after))]


def test_log_that_is_closed_stores_nothing(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    log.append(recorded(ONE, 1, started()))
    log.close()

    with pytest.raises(StorageBackendError, match="closed"):
        log.append(pauses(ONE, 2, 1))


def test_append_after_an_interrupted_one_is_durable_all_the_same(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    log.append(recorded(ONE, 1, started()))
    recorder = log._recorder
    assert isinstance(recorder, SqliteRecorder)
    connection = recorder._writer
    assert connection is not None
    # As Ctrl-C leaves it that comes between the beginning of a transaction and its end.
    connection.execute("BEGIN IMMEDIATE")

    log.append(pauses(ONE, 2, 1))

    other = SqliteEventStore(tmp_path / "events.db")
    assert versions(other, ONE) == [1, 2]
    other.close()
    log.close()


def test_connections_of_every_thread_are_closed_with_the_log(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    ready = Barrier(6)

    def use(number: int) -> int:
        ready.wait()
        for version in range(1, 20):
            log.append(recorded(UUID(int=number + 1), version, SagaPaused("ann")))
            assert versions(log, UUID(int=number + 1))[-1] == version
        return log.last_position()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(use, range(6)))
        assert descriptors_of(tmp_path)
        log.close()

        assert descriptors_of(tmp_path) == []
        with pytest.raises(StorageBackendError, match="closed"):
            log.last_position()


def test_log_that_cannot_be_opened_leaves_no_connection_open(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(DatabaseCorruptError):
        SqliteEventStore(tmp_path / "events.db")

    assert descriptors_of(tmp_path) == []


def descriptors_of(folder: Path) -> list[str]:
    """The files of a folder that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(f"{folder}/")]
