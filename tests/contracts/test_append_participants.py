"""What every event store promises those that take part in its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import VersionConflictError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.ports.event_observer import AppendedRow
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.events import SagaPaused, SagaResumed
from sagaledger.infrastructure.event_store import MemoryEventStore, SqliteEventStore
from sagaledger.infrastructure.event_store.codec import EventCodec

ONE, TWO = UUID(int=1), UUID(int=2)


class RefusedError(Exception):
    """What the participant raises; it cannot be copied, as errors with fields cannot."""

    def __init__(self, version: int, words: str) -> None:
        super().__init__(words)
        self.version = version


class Participant:
    """Notes what it sees, and refuses what `bob` does."""

    def __init__(self) -> None:
        self.seen: list[list[AppendedRow]] = []

    def before_commit(self, rows: Sequence[AppendedRow], transaction: object) -> None:
        self.seen.append([*rows])
        for row in rows:
            if b"bob" in row.state:
                raise RefusedError(row.version, "not bob")


class Ledgering:
    """Writes rows of its own into the event store's file."""

    def before_commit(self, rows: Sequence[AppendedRow], transaction: sqlite3.Connection) -> None:
        transaction.executemany(
            "INSERT INTO audit VALUES (?, ?)", [(row.position, row.type_name) for row in rows]
        )
        if any(b"bob" in row.state for row in rows):
            raise RefusedError(0, "not bob")


@pytest.fixture
def participant() -> Participant:
    return Participant()


@pytest.fixture(params=["sqlite", "memory"])
def log(
    request: pytest.FixtureRequest, tmp_path: Path, participant: Participant
) -> Iterator[EventStore]:
    made: EventStore = (
        MemoryEventStore([participant])
        if request.param == "memory"
        else SqliteEventStore(tmp_path / "events.db", [participant])
    )
    with closing(made):
        yield made


def recorded(stream: UUID, first: int, *events: Event) -> list[RecordedEvent]:
    return [
        RecordedEvent(stream, version, version, "w", 0, event)
        for version, event in enumerate(events, first)
    ]


def test_participant_sees_each_append_with_its_positions_and_stored_bytes(
    log: EventStore, participant: Participant
) -> None:
    first = recorded(ONE, 1, SagaPaused("ann"))
    then = [*recorded(TWO, 1, SagaPaused("cid")), *recorded(ONE, 2, SagaResumed("ann"))]

    log.append(first)
    log.append(then)

    encode = EventCodec().encode
    assert participant.seen == [
        [AppendedRow(1, ONE, 1, *encode(first[0]))],
        [AppendedRow(2, TWO, 1, *encode(then[0])), AppendedRow(3, ONE, 2, *encode(then[1]))],
    ]


def test_participant_that_raises_fails_the_append_as_a_whole(
    log: EventStore, participant: Participant
) -> None:
    log.append(recorded(ONE, 1, SagaPaused("ann")))

    with pytest.raises(RefusedError, match="not bob") as raised:
        log.append([*recorded(TWO, 1, SagaPaused("ann")), *recorded(ONE, 2, SagaPaused("bob"))])

    assert raised.value.version == 2
    assert (log.last_version(ONE), log.last_version(TWO), log.last_position()) == (1, 0, 1)
    assert log.append(recorded(ONE, 2, SagaResumed("ann"))) == 2


def test_participant_does_not_keep_a_conflict_from_being_one(log: EventStore) -> None:
    log.append(recorded(ONE, 1, SagaPaused("ann")))

    with pytest.raises(VersionConflictError):
        log.append(recorded(ONE, 1, SagaPaused("cid")))

    assert log.last_position() == 1


def test_appends_that_come_at_once_are_seen_one_by_one_and_fail_alone(
    log: EventStore, participant: Participant
) -> None:
    names = ["ann", "bob", "cid", "bob", "dan", "eve", "bob", "fay"]
    ready = Barrier(len(names))

    def write(number: int) -> list[str]:
        stream, outcomes = UUID(int=number + 1), []
        ready.wait()
        for version in range(1, 31):
            try:
                log.append(recorded(stream, version, SagaPaused(names[number])))
            except RefusedError:
                outcomes.append("refused")
                break
            with pytest.raises(VersionConflictError):
                log.append(recorded(stream, version, SagaPaused("zoe")))
            outcomes.append("stored")
        return outcomes

    with ThreadPoolExecutor(len(names)) as threads:
        outcomes = list(threads.map(write, range(len(names))))

    assert outcomes == [["refused"] if name == "bob" else ["stored"] * 30 for name in names]
    stored = [*events_of(log.read_log(0, 1000))]
    positions = [item.position for item in stored]
    assert positions == [*range(1, 151)]
    assert {item.event for item in stored} == {SagaPaused(n) for n in names if n != "bob"}
    seen = {row.position: row for rows in participant.seen for row in rows if _is_kept(rows)}
    assert [(seen[i.position].stream_id, seen[i.position].version) for i in stored] == [
        (item.originator_id, item.originator_version) for item in stored
    ]


def _is_kept(rows: Sequence[AppendedRow]) -> bool:
    return not any(b"bob" in row.state for row in rows)


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[SqliteEventStore]:
    path = tmp_path / "events.db"
    with closing(SqliteEventStore(path, [Ledgering()])) as log:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE audit (position INTEGER PRIMARY KEY, type TEXT)")
        yield log


def audit_of(tmp_path: Path) -> list[Any]:
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        return connection.execute("SELECT * FROM audit ORDER BY position").fetchall()


def test_rows_of_a_participant_are_committed_with_the_events_or_not_at_all(
    audited: SqliteEventStore, tmp_path: Path
) -> None:
    audited.append(recorded(ONE, 1, SagaPaused("ann"), SagaResumed("ann")))
    with pytest.raises(RefusedError):
        audited.append(recorded(ONE, 3, SagaPaused("bob")))
    with pytest.raises(VersionConflictError):
        audited.append(recorded(ONE, 2, SagaPaused("cid")))
    audited.append(recorded(ONE, 3, SagaPaused("cid")))

    assert audit_of(tmp_path) == [
        (1, "saga-paused/1"),
        (2, "saga-resumed/1"),
        (3, "saga-paused/1"),
    ]
    assert audited.last_position() == 3


def test_error_of_a_participants_own_sql_is_raised_as_it_is(
    audited: SqliteEventStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO audit VALUES (1, 'taken')")

    with pytest.raises(sqlite3.IntegrityError, match=r"audit\.position"):
        audited.append(recorded(ONE, 1, SagaPaused("ann")))

    assert audited.last_position() == 0


class Unforgiving:
    """Its SQL rolls the whole transaction back by itself, as SQLite does on a full disk too."""

    def before_commit(self, rows: Sequence[AppendedRow], transaction: sqlite3.Connection) -> None:
        transaction.executemany(
            "INSERT OR ROLLBACK INTO audit VALUES (?, ?)", [(1, row.type_name) for row in rows]
        )


def test_participant_whose_sql_rolls_back_by_itself_fails_its_append_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(SqliteEventStore(path, [Unforgiving()])) as log:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE audit (position INTEGER PRIMARY KEY, type TEXT)")
        log.append(recorded(ONE, 1, SagaPaused("ann")))

        with pytest.raises(sqlite3.IntegrityError, match=r"audit\.position"):
            log.append(recorded(TWO, 1, SagaPaused("ann")))

        assert (log.last_position(), log.last_version(TWO)) == (1, 0)
