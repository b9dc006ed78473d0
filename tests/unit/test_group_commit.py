"""Batches of several threads share a transaction, and each knows what came of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import sleep
from typing import TypeAlias

import pytest
from sagaledger.infrastructure.event_store.group_commit import GroupCommit, Outcome

WAIT_S = 10.0


Rows: TypeAlias = tuple[int, ...]


class Store:
    """Refuses version 13, and stores the first transaction only when it is told to."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.is_reached, self.may_go_on = Event(), Event()
        self.interrupts = False
        self.interrupts_after: list[int] = []
        """Interrupt once these are stored."""
        self.is_busy = False

    def __call__(self, batches: Sequence[Rows]) -> Sequence[Outcome]:
        versions = [version for rows in batches for version in rows]
        if not self.is_reached.is_set():
            self.is_reached.set()
            assert self.may_go_on.wait(WAIT_S)
            if self.interrupts:
                raise KeyboardInterrupt
        if 13 in versions:
            raise ValueError("unlucky")
        self.transactions.append(versions)
        if versions == self.interrupts_after:
            raise KeyboardInterrupt
        if self.is_busy and len(versions) > 1:
            raise sqlite3.OperationalError("database is locked")
        return [LookupError("refused") if 99 in rows else list(rows) for rows in batches]


class Threads:
    """Appends while the first transaction is under way, so that all wait for it."""

    def __init__(self, store: Store) -> None:
        self._group = GroupCommit(store)
        self._pool = ThreadPoolExecutor(8)
        self._store = store

    def insert(self, *versions: int) -> Future[Sequence[int]]:
        is_first, before = not self._store.is_reached.is_set(), len(self._group._waiting)
        future = self._pool.submit(self._group.insert, versions)
        if is_first:
            assert self._store.is_reached.wait(WAIT_S)
        else:
            until(lambda: len(self._group._waiting) > before)
        return future

    def later(self, *versions: int) -> Future[Sequence[int]]:
        return self._pool.submit(self._group.insert, versions)

    def close(self) -> None:
        self._store.may_go_on.set()
        self._pool.shutdown()


def until(holds: Callable[[], bool]) -> None:
    for _ in range(round(WAIT_S * 1000)):
        if holds():
            return
        sleep(0.001)
    raise AssertionError("it did not come to pass")


@pytest.fixture
def store() -> Store:
    return Store()


def test_batch_that_comes_alone_is_stored_at_once(store: Store) -> None:
    store.may_go_on.set()

    assert GroupCommit(store).insert((1, 2)) == [1, 2]
    assert store.transactions == [[1, 2]]


def test_batches_that_come_meanwhile_are_stored_together_in_their_order(store: Store) -> None:
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2, 3), threads.insert(4), threads.insert(5)]

    threads.close()

    assert store.transactions == [[1], [2, 3, 4, 5]]
    assert [future.result() for future in futures] == [[1], [2, 3], [4], [5]]


def test_batch_that_cannot_be_stored_fails_alone(store: Store) -> None:
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2), threads.insert(13, 14), threads.insert(5)]

    threads.close()

    assert store.transactions == [[1], [2], [5]]
    assert [future.result() for future in futures[:2]] == [[1], [2]]
    assert futures[3].result() == [5]
    with pytest.raises(ValueError, match="unlucky"):
        futures[2].result()


def test_batch_that_the_store_refuses_fails_alone_and_nothing_is_stored_again(
    store: Store,
) -> None:
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2), threads.insert(98, 99), threads.insert(5)]

    threads.close()

    assert store.transactions == [[1], [2, 98, 99, 5]]
    assert [futures[at].result() for at in (0, 1, 3)] == [[1], [2], [5]]
    with pytest.raises(LookupError, match="refused"):
        futures[2].result()


def test_thread_that_is_interrupted_while_it_stores_holds_up_no_other(store: Store) -> None:
    store.interrupts = True
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2), threads.insert(3)]

    threads.close()

    with pytest.raises(KeyboardInterrupt):
        futures[0].result()
    assert [future.result() for future in futures[1:]] == [[2], [3]]


def test_thread_interrupted_once_all_is_stored_lets_nobody_store_it_again(store: Store) -> None:
    store.interrupts_after = [2, 3, 4]
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2), threads.insert(3), threads.insert(4)]

    store.may_go_on.set()

    with pytest.raises(KeyboardInterrupt):
        futures[1].result(WAIT_S)
    for future in futures[2:]:
        with pytest.raises(sqlite3.OperationalError, match="may be stored or not"):
            future.result(WAIT_S)
    assert store.transactions == [[1], [2, 3, 4]]
    assert threads.later(5).result(WAIT_S) == [5]
    threads.close()


def test_file_that_is_busy_is_waited_for_once_and_not_for_each(store: Store) -> None:
    store.is_busy = True
    threads = Threads(store)
    futures = [threads.insert(1), threads.insert(2), threads.insert(3)]

    threads.close()

    assert store.transactions == [[1], [2, 3]]
    errors = [future.exception() for future in futures[1:]]
    assert [str(error) for error in errors] == ["database is locked"] * 2
    assert errors[0] is not errors[1]


@pytest.mark.parametrize("place", ["_lead", "_settle", "_finish"])
def test_thread_interrupted_at_any_place_holds_up_no_later_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    store.may_go_on.set()
    group = GroupCommit(store)

    def interrupted(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(GroupCommit, place, interrupted)
    with pytest.raises(KeyboardInterrupt):
        group.insert((1,))

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(group.insert, (2,)).result(WAIT_S) == [2]


def test_more_batches_than_fit_are_stored_one_transaction_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagaledger.infrastructure.event_store.group_commit._MOST_BATCHES", 2)
    threads = Threads(store)
    futures = [threads.insert(version) for version in range(1, 6)]

    threads.close()

    assert store.transactions == [[1], [2, 3], [4, 5]]
    assert [future.result() for future in futures] == [[1], [2], [3], [4], [5]]
