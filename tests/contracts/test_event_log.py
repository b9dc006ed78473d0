"""Our event stores keep what every event store promises; and what only SQLite's does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import SagaPaused, SagaStarted
from sagaledger.domain.upload.events import UploadStarted
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.infrastructure.event_store import MemoryEventStore, SqliteEventStore
from sagaledger.testing import EventStoreContract

ONE, TWO = UUID(int=1), UUID(int=2)
MAKERS: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": lambda folder: SqliteEventStore(folder / "events.db"),
    "memory": lambda _: MemoryEventStore(),
}


class TestSqlite(EventStoreContract):
    def open_store(self, folder: Path) -> EventStore:
        return SqliteEventStore(folder / "events.db")


class TestMemory(EventStoreContract):
    durable = False

    def open_store(self, folder: Path) -> EventStore:
        return MemoryEventStore()


@pytest.fixture(params=MAKERS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    opened = MAKERS[request.param](tmp_path)
    yield opened
    opened.close()


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
    return [item.originator_version for item in log.read_stream(stream, after)]


def test_saga_loaded_is_folded_from_its_events(log: EventStore) -> None:
    log.append([*recorded(ONE, 1, started()), *recorded(TWO, 1, started())])
    log.append(recorded(ONE, 2, SagaPaused("ann")))

    saga = log.load_saga(ONE)

    assert saga is not None
    assert (saga.id, saga.version, saga.paused, saga.parameters) == (ONE, 2, True, {"n": 1})


def test_snapshot_of_an_upload_changes_nothing_of_what_is_loaded(log: EventStore) -> None:
    fingerprint = SourceFingerprint(4, 1, 2, 3)
    begun = UploadStarted("s", "/a", fingerprint, 4, 1, "p/", "chunks", "none")
    log.append(recorded(ONE, 1, begun))
    before = log.load_upload(ONE)

    log.snapshot_upload(ONE)
    log.snapshot_upload(ONE)

    assert before is not None
    assert log.load_upload(ONE) == before
    assert log.last_position() == 1


def test_log_that_is_closed_stores_nothing(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    log.append(recorded(ONE, 1, started()))
    log.close()

    with pytest.raises(StorageBackendError, match="closed"):
        log.append(pauses(ONE, 2, 1))


def test_append_after_an_interrupted_one_is_durable_all_the_same(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    log.append(recorded(ONE, 1, started()))
    connection = log._ledger_recorder._connection
    assert connection is not None
    # As Ctrl-C leaves it that comes between the beginning of a transaction and its end.
    connection.execute("BEGIN IMMEDIATE")

    log.append(pauses(ONE, 2, 1))

    other = SqliteEventStore(tmp_path / "events.db")
    assert versions(other, ONE) == [1, 2]
    other.close()
    log.close()
