"""Observers of stored events, added from outside the package: none fails or delays an append."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread, get_ident
from threading import enumerate as running_threads
from uuid import UUID, uuid4

import pytest
from sagaledger import (
    FactRecorded,
    Ledger,
    RecordedEvent,
    SagaDefinition,
    SagaStatus,
    SagaStep,
    StepContext,
    StoredEvents,
    open_ledger,
)
from sagaledger.application.engine import observed_event_store
from sagaledger.application.engine.observed_event_store import ObservedEventStore
from sagaledger.application.engine.observer_thread import MAX_WAITING_EVENTS, ObserverThread
from sagaledger.domain.history.runs import events_of
from sagaledger.infrastructure.event_store import MemoryEventStore

from tests.support.ledgers import QUICK

TRIP = SagaDefinition("trip", [SagaStep("book", lambda _: {"room": 12}), SagaStep("pay", print)])


class Keeping:
    """Keeps what it is told, and who told it."""

    def __init__(self) -> None:
        self.told: list[StoredEvents] = []
        self.threads: set[int] = set()

    def __call__(self, stored: StoredEvents) -> None:
        self.told.append(stored)
        self.threads.add(get_ident())

    @property
    def events(self) -> list[RecordedEvent]:
        return [item for stored in self.told for item in stored.events]


class Hanging:
    """Never comes back from the first events, until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = Flag(), Flag()
        self.told: list[StoredEvents] = []

    def __call__(self, stored: StoredEvents) -> None:
        self.told.append(stored)
        self.has_begun.set()
        assert self.may_end.wait(60)


class Immediate:
    """Wants everything, and does with it what it is given to do."""

    def __init__(self, act: Callable[[StoredEvents], object]) -> None:
        self._act = act

    def wants(self, recorded: Sequence[RecordedEvent]) -> bool:
        return len(recorded) > 0

    def __call__(self, stored: StoredEvents) -> None:
        self._act(stored)


def explode(_: StoredEvents) -> None:
    raise ZeroDivisionError("a defect in an observer")


@contextmanager
def observed(data: Path, *observers: Callable[[StoredEvents], object]) -> Iterator[Ledger]:
    with open_ledger(data, QUICK, observers=observers) as ledger:
        yield ledger


def recorded(count: int = 1, stream: UUID | None = None) -> list[RecordedEvent]:
    stream_id = stream or uuid4()
    return [
        RecordedEvent(stream_id, version, 1, "w", 0, FactRecorded("counted", {"n": version}))
        for version in range(1, count + 1)
    ]


def test_observer_gets_every_stored_event_with_its_position_and_its_saga(
    tmp_path: Path, source: Path
) -> None:
    keeping = Keeping()

    with observed(tmp_path / "data", keeping) as ledger:
        saga = ledger.ingest(source).saga
        everything = [*events_of(ledger.log.read_log(0, 10_000))]

    assert saga is not None
    assert keeping.events == everything
    assert [item.position for item in keeping.events] == list(range(1, len(everything) + 1))
    assert {stored.saga_id for stored in keeping.told} == {saga.saga_id}
    assert {stored.missed for stored in keeping.told} == {0}
    assert get_ident() not in keeping.threads


def test_observer_that_raises_or_hangs_fails_and_delays_no_append(
    tmp_path: Path, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hanging, keeping = Hanging(), Keeping()
    opened = open_ledger(tmp_path / "data", QUICK, observers=[explode, hanging, keeping])
    try:
        saga = opened.ingest(source).saga
        assert saga is not None
        assert saga.status is SagaStatus.COMPLETED
        # One append is all that it ever came to, and the saga has ended all the same.
        assert hanging.has_begun.wait(10)
        assert len(hanging.told) == 1
    finally:
        hanging.may_end.set()
        opened.close()

    raised = [record for record in caplog.records if record.exc_info]
    assert len(raised) == 1
    assert raised[0].getMessage() == "observer explode raised"
    assert f"raised {len(keeping.told)} times" in caplog.text


def test_events_that_a_slow_observer_misses_are_counted_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hanging = Hanging()
    store = ObservedEventStore(MemoryEventStore(), [hanging])
    store.append(recorded(1))
    assert hanging.has_begun.wait(10)

    many = MAX_WAITING_EVENTS - 1
    store.append(recorded(many))
    began_s = time.monotonic()
    last = [store.append(recorded(7)) for _ in range(3)][-1]
    hanging_s = time.monotonic() - began_s
    hanging.may_end.set()
    wait_until(lambda: len(hanging.told) == 2)
    store.append(recorded(1))
    store.close()

    assert last == 1 + many + 21
    assert hanging_s < 5
    assert [(len(stored.events), stored.missed) for stored in hanging.told] == [
        (1, 0),
        (many, 0),
        (1, 21),
    ]
    assert hanging.told[-1].events[0].position == last + 1
    assert f"is too slow: {MAX_WAITING_EVENTS} events wait" in caplog.text
    assert "missed 21 events and raised 0 times" in caplog.text


def test_closing_hands_over_what_waits(tmp_path: Path) -> None:
    told: list[StoredEvents] = []

    def slow(stored: StoredEvents) -> None:
        time.sleep(0.01)
        told.append(stored)

    with observed(tmp_path / "data", slow) as ledger:
        ledger.run(TRIP)
        appends = ledger.log.last_position()

    assert sum(len(stored.events) for stored in told) == appends > 0


def test_closing_waits_no_longer_than_it_says_and_tells_what_was_not_handed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hanging = Hanging()
    thread = ObserverThread(hanging)
    for _ in range(3):
        thread.offer(StoredEvents(tuple(recorded(5)), None))
    assert hanging.has_begun.wait(10)

    thread.close(timeout_s=0.05)
    hanging.may_end.set()
    wait_until(lambda: not any("Hanging" in running.name for running in running_threads()))

    assert (thread.missed, len(hanging.told)) == (15, 1)
    assert "missed 15 events" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_observer_that_ends_its_own_thread_loses_nothing_silently(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def leave(_: StoredEvents) -> None:
        raise SystemExit

    store = ObservedEventStore(MemoryEventStore(), [leave])
    for _ in range(3):
        store.append(recorded(5))
    store.close()

    store.close()
    assert caplog.text.count("missed 15 events") == 1


def test_events_of_an_append_that_fails_are_told_to_nobody() -> None:
    keeping = Keeping()
    store = ObservedEventStore(MemoryEventStore(), [keeping], immediate=[Immediate(keeping)])
    stream = uuid4()
    store.append(recorded(1, stream))
    with pytest.raises(Exception, match="has advanced"):
        store.append(recorded(1, stream))
    store.close()

    assert len(keeping.told) == 2
    assert keeping.told[0] == keeping.told[1]


def test_positions_are_those_of_the_log_when_threads_append_at_once(tmp_path: Path) -> None:
    keeping = Keeping()

    with observed(tmp_path / "data", keeping) as ledger:
        threads = [
            Thread(target=lambda: [ledger.log.append(recorded(3)) for _ in range(20)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        everything = [*events_of(ledger.log.read_log(0, 10_000))]

    assert len(everything) == 240
    assert sorted(keeping.events, key=lambda item: item.position) == everything


def test_immediate_observer_that_raises_fails_no_append(caplog: pytest.LogCaptureFixture) -> None:
    store = ObservedEventStore(MemoryEventStore(), immediate=[Immediate(explode)])
    with caplog.at_level(logging.WARNING, observed_event_store.__name__):
        assert store.append(recorded(2)) == 2
        assert store.append(recorded(1)) == 3
    store.close()

    assert [record.getMessage() for record in caplog.records] == [
        "an observer of stored events raised"
    ]


def test_append_without_an_observer_has_no_thread_of_its_own(tmp_path: Path) -> None:
    names: list[str] = []

    def act(_: StepContext) -> None:
        names.extend(thread.name for thread in running_threads())

    with open_ledger(tmp_path / "data", QUICK) as ledger:
        ledger.run(SagaDefinition("looking", [SagaStep("look", act)]))

    assert [name for name in names if name.startswith("sagaledger-")] == ["sagaledger-leases"]


def wait_until(holds: Callable[[], bool], limit_s: float = 10.0) -> None:
    until_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < until_s, "it does not hold"
        time.sleep(0.002)
