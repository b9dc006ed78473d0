"""What every event store promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import EventSerializationError, VersionConflictError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import SagaPaused, SagaResumed, SagaStarted
from sagaledger.infrastructure.errors import DatabaseCorruptError
from sagaledger.infrastructure.event_store import MemoryEventStore, SqliteEventStore
from sagaledger.infrastructure.event_store.sqlite_recorder import SqliteRecorder

ONE, TWO = UUID(int=1), UUID(int=2)
MAKERS: dict[str, Callable[[Path], EventStore]] = {
    "sqlite": lambda folder: SqliteEventStore(folder / "events.db"),
    "memory": lambda _: MemoryEventStore(),
}


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
    return [item.originator_version for item in events_of(log.read_stream(stream, after))]


def test_empty_log_has_nothing(log: EventStore) -> None:
    assert log.last_position() == 0
    assert log.last_version(ONE) == 0
    assert list(log.read_stream(ONE)) == []
    assert list(log.read_log(0, 10)) == []


def test_events_appended_are_read_as_they_were(log: EventStore) -> None:
    events = recorded(ONE, 1, started(), SagaPaused("ann"), SagaResumed("bob"))

    log.append(events)

    read = list(events_of(log.read_stream(ONE)))
    assert [item.event for item in read] == [item.event for item in events]
    assert [(i.originator_id, i.originator_version, i.at_us, i.worker, i.epoch) for i in read] == [
        (i.originator_id, i.originator_version, i.at_us, i.worker, i.epoch) for i in events
    ]


def test_append_returns_the_position_of_its_last_event(log: EventStore) -> None:
    first = log.append(recorded(ONE, 1, started()))
    second = log.append(pauses(ONE, 2, 3))

    assert (first, second, log.last_position()) == (1, 4, 4)
    assert log.append([]) == 4


def test_events_of_several_streams_have_one_order(log: EventStore) -> None:
    log.append([*recorded(ONE, 1, started()), *recorded(TWO, 1, started())])
    log.append([*pauses(TWO, 2, 1), *pauses(ONE, 2, 1)])

    read = [*events_of(log.read_log(0, 10))]

    assert [item.position for item in read] == [1, 2, 3, 4]
    assert [item.originator_id for item in read] == [ONE, TWO, TWO, ONE]
    assert [item.position for item in events_of(log.read_stream(ONE))] == [1, 4]


def test_log_read_after_a_position_gives_the_next_ones_up_to_the_limit(log: EventStore) -> None:
    log.append([*recorded(ONE, 1, started()), *pauses(ONE, 2, 9)])

    assert [item.position for item in events_of(log.read_log(4, 3))] == [5, 6, 7]
    assert [item.position for item in events_of(log.read_log(9, 100))] == [10]
    assert list(log.read_log(10, 100)) == []


def test_stream_read_after_a_version_gives_the_later_ones(log: EventStore) -> None:
    log.append([*recorded(ONE, 1, started()), *pauses(ONE, 2, 4)])

    assert versions(log, ONE, 3) == [4, 5]
    assert versions(log, ONE, 5) == []
    assert log.last_version(ONE) == 5


def test_version_that_is_taken_conflicts_and_nothing_is_stored(log: EventStore) -> None:
    log.append(recorded(ONE, 1, started()))

    with pytest.raises(VersionConflictError):
        log.append([*recorded(TWO, 1, started()), *recorded(ONE, 1, started())])

    assert (log.last_version(ONE), log.last_version(TWO), log.last_position()) == (1, 0, 1)
    assert log.append(pauses(ONE, 2, 1)) == 2


def test_two_writers_of_one_version_give_one_winner(log: EventStore) -> None:
    log.append(recorded(ONE, 1, started()))

    def write(number: int) -> bool:
        try:
            log.append(recorded(ONE, 2, SagaPaused(str(number))))
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        won = list(threads.map(write, range(6)))

    assert won.count(True) == 1
    (paused,) = events_of(log.read_stream(ONE, 1))
    assert paused.event == SagaPaused(str(won.index(True)))


def test_event_that_cannot_be_stored_stores_none_of_its_batch(log: EventStore) -> None:
    impossible = SagaStarted("demo", 1, ("a",), {"n": object()}, 0.0)  # type: ignore[dict-item]  # The point of the test.

    with pytest.raises(EventSerializationError, match="SagaStarted"):
        log.append([*recorded(ONE, 1, started()), *recorded(TWO, 1, impossible)])

    assert log.last_position() == 0


def test_run_holds_events_of_one_type_and_is_never_empty(log: EventStore) -> None:
    log.append([*recorded(ONE, 1, started()), *pauses(ONE, 2, 3), *pauses(TWO, 1, 2)])
    log.append(recorded(ONE, 5, SagaResumed("bob")))

    whole, stream = log.read_log(0, 10), list(log.read_stream(ONE))

    assert [(kind, len(run)) for kind, run in whole] == [
        (SagaStarted, 1),
        (SagaPaused, 5),
        (SagaResumed, 1),
    ]
    assert [(kind, len(run)) for kind, run in stream] == [
        (SagaStarted, 1),
        (SagaPaused, 3),
        (SagaResumed, 1),
    ]


def test_events_stored_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    first = SqliteEventStore(tmp_path / "events.db")
    first.append([*recorded(ONE, 1, started()), *pauses(ONE, 2, 2)])
    first.close()

    again = SqliteEventStore(tmp_path / "events.db")

    assert versions(again, ONE) == [1, 2, 3]
    assert again.append(pauses(ONE, 4, 1)) == 4
    again.close()


def test_log_that_is_closed_stores_nothing(tmp_path: Path) -> None:
    log = SqliteEventStore(tmp_path / "events.db")
    log.append(recorded(ONE, 1, started()))
    log.close()

    with pytest.raises(StorageBackendError, match="closed"):
        log.append(pauses(ONE, 2, 1))


def test_two_open_logs_on_one_file_see_each_other_and_conflict(tmp_path: Path) -> None:
    here, there = (SqliteEventStore(tmp_path / "events.db") for _ in range(2))
    here.append(recorded(ONE, 1, started()))

    assert there.last_version(ONE) == 1
    with pytest.raises(VersionConflictError):
        there.append(recorded(ONE, 1, started()))
    assert there.append(pauses(ONE, 2, 1)) == 2
    assert versions(here, ONE) == [1, 2]
    here.close()
    there.close()


def test_appends_of_several_threads_keep_each_streams_order_and_a_conflict_fails_alone(
    log: EventStore,
) -> None:
    streams = [UUID(int=n + 1) for n in range(8)]

    def write(stream: UUID) -> list[int]:
        positions = [log.append(recorded(stream, 1, started()))]
        for version in range(2, 40):
            positions.append(log.append(pauses(stream, version, 1)))
            with pytest.raises(VersionConflictError):
                log.append(pauses(stream, version - 1, 2))
        return positions

    with ThreadPoolExecutor(len(streams)) as threads:
        appended = list(threads.map(write, streams))

    assert [versions(log, stream) for stream in streams] == [list(range(1, 40))] * len(streams)
    assert [[item.position for item in events_of(log.read_stream(s))] for s in streams] == appended
    assert sorted(chain.from_iterable(appended)) == list(range(1, 39 * len(streams) + 1))


def test_batch_of_many_streams_and_events_is_stored_as_a_whole(log: EventStore) -> None:
    streams = [UUID(int=n + 1) for n in range(250)]
    many = [item for stream in streams for item in recorded(stream, 1, started())]

    assert log.append(many) == 250
    assert log.append(pauses(ONE, 2, 250)) == 500
    with pytest.raises(VersionConflictError):
        log.append([*pauses(TWO, 2, 250), *pauses(ONE, 7, 1)])

    assert (log.last_version(ONE), log.last_version(TWO), log.last_position()) == (251, 1, 500)
    assert [item.originator_id for item in events_of(log.read_log(0, 250))] == streams


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
