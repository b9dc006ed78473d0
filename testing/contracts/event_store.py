"""What every event store promises."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from uuid import UUID

import pytest
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import EventSerializationError, VersionConflictError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import SagaPaused, SagaResumed, SagaStarted
from sagaledger.testing.contracts.contract import Contract, needs_durability

__all__ = ["EventStoreContract"]

_ONE, _TWO = UUID(int=1), UUID(int=2)


class EventStoreContract(Contract):
    """The tests of an `EventStore`.

    Example:
        class TestMyEventStore(EventStoreContract):
            def open_store(self, folder: Path) -> EventStore:
                return MyEventStore(folder / "events.db")
    """

    def open_store(self, folder: Path) -> EventStore:
        """Open the store that keeps its data in this folder, empty the first time."""
        raise NotImplementedError

    @pytest.fixture
    def log(self, tmp_path: Path) -> Iterator[EventStore]:
        """An empty store."""
        opened = self.open_store(tmp_path)
        yield opened
        opened.close()

    def test_empty_log_has_nothing(self, log: EventStore) -> None:
        assert log.last_position() == 0
        assert log.last_version(_ONE) == 0
        assert list(log.read_stream(_ONE)) == []
        assert list(log.read_log(0, 10)) == []

    def test_events_appended_are_read_as_they_were(self, log: EventStore) -> None:
        events = _recorded(_ONE, 1, _started(), SagaPaused("ann"), SagaResumed("bob"))

        log.append(events)

        read = list(events_of(log.read_stream(_ONE)))
        assert [item.event for item in read] == [item.event for item in events]
        assert [
            (i.originator_id, i.originator_version, i.at_us, i.worker, i.epoch) for i in read
        ] == [(i.originator_id, i.originator_version, i.at_us, i.worker, i.epoch) for i in events]

    def test_append_returns_the_position_of_its_last_event(self, log: EventStore) -> None:
        first = log.append(_recorded(_ONE, 1, _started()))
        second = log.append(_pauses(_ONE, 2, 3))

        assert (first, second, log.last_position()) == (1, 4, 4)
        assert log.append([]) == 4

    def test_events_of_several_streams_have_one_order(self, log: EventStore) -> None:
        log.append([*_recorded(_ONE, 1, _started()), *_recorded(_TWO, 1, _started())])
        log.append([*_pauses(_TWO, 2, 1), *_pauses(_ONE, 2, 1)])

        read = [*events_of(log.read_log(0, 10))]

        assert [item.position for item in read] == [1, 2, 3, 4]
        assert [item.originator_id for item in read] == [_ONE, _TWO, _TWO, _ONE]
        assert [item.position for item in events_of(log.read_stream(_ONE))] == [1, 4]

    def test_log_read_after_a_position_gives_the_next_ones_up_to_the_limit(
        self, log: EventStore
    ) -> None:
        log.append([*_recorded(_ONE, 1, _started()), *_pauses(_ONE, 2, 9)])

        assert [item.position for item in events_of(log.read_log(4, 3))] == [5, 6, 7]
        assert [item.position for item in events_of(log.read_log(9, 100))] == [10]
        assert list(log.read_log(10, 100)) == []

    def test_stream_read_after_a_version_gives_the_later_ones(self, log: EventStore) -> None:
        log.append([*_recorded(_ONE, 1, _started()), *_pauses(_ONE, 2, 4)])

        assert _versions(log, _ONE, 3) == [4, 5]
        assert _versions(log, _ONE, 5) == []
        assert log.last_version(_ONE) == 5

    def test_version_that_is_taken_conflicts_and_nothing_is_stored(self, log: EventStore) -> None:
        log.append(_recorded(_ONE, 1, _started()))

        with pytest.raises(VersionConflictError):
            log.append([*_recorded(_TWO, 1, _started()), *_recorded(_ONE, 1, _started())])

        assert (log.last_version(_ONE), log.last_version(_TWO), log.last_position()) == (1, 0, 1)
        assert log.append(_pauses(_ONE, 2, 1)) == 2

    def test_two_writers_of_one_version_give_one_winner(self, log: EventStore) -> None:
        log.append(_recorded(_ONE, 1, _started()))

        def write(number: int) -> bool:
            try:
                log.append(_recorded(_ONE, 2, SagaPaused(str(number))))
            except VersionConflictError:
                return False
            return True

        with ThreadPoolExecutor(6) as threads:
            won = list(threads.map(write, range(6)))

        assert won.count(True) == 1
        (paused,) = events_of(log.read_stream(_ONE, 1))
        assert paused.event == SagaPaused(str(won.index(True)))

    def test_event_that_cannot_be_stored_stores_none_of_its_batch(self, log: EventStore) -> None:
        impossible = SagaStarted("demo", 1, ("a",), {"n": object()}, 0.0)  # type: ignore[dict-item]  # The point of the test.

        with pytest.raises(EventSerializationError, match="SagaStarted"):
            log.append([*_recorded(_ONE, 1, _started()), *_recorded(_TWO, 1, impossible)])

        assert log.last_position() == 0

    def test_run_holds_events_of_one_type_and_is_never_empty(self, log: EventStore) -> None:
        log.append([*_recorded(_ONE, 1, _started()), *_pauses(_ONE, 2, 3), *_pauses(_TWO, 1, 2)])
        log.append(_recorded(_ONE, 5, SagaResumed("bob")))

        for runs in (log.read_log(0, 10), list(log.read_stream(_ONE))):
            assert all(runs)
            assert all(type(item.event) is kind for kind, run in runs for item in run)
            assert all(len(run) > 0 for _, run in runs)

    @needs_durability
    def test_events_stored_are_there_when_the_store_is_opened_again(self, tmp_path: Path) -> None:
        first = self.open_store(tmp_path)
        first.append([*_recorded(_ONE, 1, _started()), *_pauses(_ONE, 2, 2)])
        first.close()

        again = self.open_store(tmp_path)

        assert _versions(again, _ONE) == [1, 2, 3]
        assert again.append(_pauses(_ONE, 4, 1)) == 4
        again.close()

    @needs_durability
    def test_two_open_stores_on_the_same_data_see_each_other_and_conflict(
        self, tmp_path: Path
    ) -> None:
        here, there = (self.open_store(tmp_path) for _ in range(2))
        here.append(_recorded(_ONE, 1, _started()))

        assert there.last_version(_ONE) == 1
        with pytest.raises(VersionConflictError):
            there.append(_recorded(_ONE, 1, _started()))
        assert there.append(_pauses(_ONE, 2, 1)) == 2
        assert _versions(here, _ONE) == [1, 2]
        here.close()
        there.close()

    def test_appends_of_several_threads_keep_each_streams_order_and_a_conflict_fails_alone(
        self,
        log: EventStore,
    ) -> None:
        streams = [UUID(int=n + 1) for n in range(8)]

        def write(stream: UUID) -> list[int]:
            positions = [log.append(_recorded(stream, 1, _started()))]
            for version in range(2, 40):
                positions.append(log.append(_pauses(stream, version, 1)))
                with pytest.raises(VersionConflictError):
                    log.append(_pauses(stream, version - 1, 2))
            return positions

        with ThreadPoolExecutor(len(streams)) as threads:
            appended = list(threads.map(write, streams))

        assert [_versions(log, stream) for stream in streams] == [list(range(1, 40))] * len(streams)
        assert [
            [item.position for item in events_of(log.read_stream(s))] for s in streams
        ] == appended
        assert sorted(chain.from_iterable(appended)) == list(range(1, 39 * len(streams) + 1))

    def test_batch_of_many_streams_and_events_is_stored_as_a_whole(self, log: EventStore) -> None:
        streams = [UUID(int=n + 1) for n in range(250)]
        many = [item for stream in streams for item in _recorded(stream, 1, _started())]

        assert log.append(many) == 250
        assert log.append(_pauses(_ONE, 2, 250)) == 500
        with pytest.raises(VersionConflictError):
            log.append([*_pauses(_TWO, 2, 250), *_pauses(_ONE, 7, 1)])

        assert (log.last_version(_ONE), log.last_version(_TWO), log.last_position()) == (
            251,
            1,
            500,
        )
        assert [item.originator_id for item in events_of(log.read_log(0, 250))] == streams


def _started() -> SagaStarted:
    return SagaStarted("demo", 1, ("a",), {"n": 1}, 0.0)


def _recorded(stream: UUID, first: int, *events: Event) -> list[RecordedEvent]:
    return [
        RecordedEvent(stream, version, 1_000_000 + version, "worker", 0, event)
        for version, event in enumerate(events, first)
    ]


def _pauses(stream: UUID, first: int, count: int) -> list[RecordedEvent]:
    return _recorded(stream, first, *[SagaPaused(f"ann {first + n}") for n in range(count)])


def _versions(log: EventStore, stream: UUID, after: int = 0) -> list[int]:
    return [item.originator_version for item in events_of(log.read_stream(stream, after))]


def _envelope(item: RecordedEvent) -> tuple[UUID, int, int, str, int]:
    return (item.originator_id, item.originator_version, item.at_us, item.worker, item.epoch)
