"""Our recorders pass the test cases that the `eventsourcing` library has for its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from eventsourcing.persistence import NotSupportedError, StoredEvent
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from sagaledger.infrastructure.event_store.memory_recorder import MemoryRecorder
from sagaledger.infrastructure.event_store.rows import RowRecorder
from sagaledger.infrastructure.event_store.sqlite_recorder import SqliteRecorder


class InMemory:
    """Makes recorders in memory for a test case of the library."""

    def create_recorder(self) -> RowRecorder:
        return MemoryRecorder()


class InAFile:
    """Makes recorders on files for a test case of the library."""

    def create_recorder(self) -> RowRecorder:
        folder = TemporaryDirectory()
        recorder = SqliteRecorder(Path(folder.name) / "events.db")
        self.addCleanup(folder.cleanup)  # type: ignore[attr-defined]  # A test case has it.
        self.addCleanup(recorder.close)  # type: ignore[attr-defined]  # As above.
        return recorder


class TestMemoryRecorder(InMemory, ApplicationRecorderTestCase[RowRecorder]):
    """The library's test case for recorders of an application's events."""


class TestSqliteRecorder(InAFile, ApplicationRecorderTestCase[RowRecorder]):
    """As above."""


class TestMemoryRecorderInterleaves(InMemory, NonInterleavingNotificationIDsBaseCase):
    """The library's test case for the order of events that two threads store."""


class TestSqliteRecorderInterleaves(InAFile, NonInterleavingNotificationIDsBaseCase):
    """As above."""


@pytest.fixture(params=["memory", "sqlite"])
def recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RowRecorder]:
    made = MemoryRecorder() if request.param == "memory" else SqliteRecorder(tmp_path / "events.db")
    yield made
    made.close()


def stored(stream: UUID, versions: Sequence[int]) -> list[StoredEvent]:
    return [StoredEvent(stream, version, f"t{version % 2}", b"s") for version in versions]


def test_events_of_one_stream_are_selected_in_either_order(recorder: RowRecorder) -> None:
    one, two = UUID(int=1), UUID(int=2)
    recorder.insert_events(stored(one, [1, 2, 3]))
    recorder.insert_events(stored(two, [1]))
    recorder.insert_events(stored(one, [4]))

    def versions(**bounds: object) -> list[int]:
        found = recorder.select_events(one, **bounds)  # type: ignore[arg-type]  # Given by name.
        return [event.originator_version for event in found]

    assert versions() == [1, 2, 3, 4]
    assert versions(gt=1, lte=3) == [2, 3]
    assert versions(desc=True, limit=2) == [4, 3]
    assert versions(desc=True, lte=2) == [2, 1]
    assert versions(gt=1, limit=1) == [2]
    assert recorder.insert_events([]) is None
    assert [n.id for n in recorder.select_notifications(2, 9, 4, ["t1"])] == [3, 4]


def test_what_a_recorder_does_not_do_it_refuses(recorder: RowRecorder) -> None:
    with pytest.raises(NotSupportedError, match="positions"):
        recorder.subscribe()
    with pytest.raises(NotSupportedError, match="UUID"):
        recorder.select_events("text")
