"""What every store of documents' rows promises: vector, graph and relational alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count as counting
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.saga.errors import LeaseLostError

from tests.support.store_rows import owner_of, stopped_past_its_lease
from tests.support.stores import DURABLE, MORE_THAN_A_BATCH, STORES, AnyStore, write


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


def counts(store: AnyStore, *numbers: int) -> list[int]:
    """How many rows each of these documents has."""
    return [store.count(owner_of(number)) for number in numbers]


def test_rows_written_are_counted_and_their_owner_is_listed(store: AnyStore) -> None:
    assert write(store, 1, 7) == 7

    assert counts(store, 1, 2) == [7, 0]
    assert list(store.owners()) == [owner_of(1)]


def test_store_without_rows_has_no_owner_and_nothing_to_delete(store: AnyStore) -> None:
    assert list(store.owners()) == []
    assert store.count(owner_of(1)) == 0
    assert store.delete(owner_of(1)) == 0


@settings(max_examples=10, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4))
@pytest.mark.parametrize("kind", STORES)
def test_rows_written_again_are_exactly_the_last_ones(
    tmp_path_factory: pytest.TempPathFactory, kind: str, sizes: list[int]
) -> None:
    store = STORES[kind](tmp_path_factory.mktemp("again"))

    assert [write(store, 1, size) for size in sizes] == sizes

    assert store.count(owner_of(1)) == sizes[-1]
    assert store.delete(owner_of(1)) == sizes[-1]
    store.close()


def test_rows_deleted_are_gone_and_other_owners_rows_stay(store: AnyStore) -> None:
    for number in (1, 2, 3):
        write(store, number, 5 + number)

    assert store.delete(owner_of(2)) == 7
    assert store.delete(owner_of(2)) == 0

    assert counts(store, 1, 2, 3) == [6, 0, 8]
    assert set(store.owners()) == {owner_of(1), owner_of(3)}


def test_more_rows_than_a_transaction_takes_are_written_and_deleted(store: AnyStore) -> None:
    many = MORE_THAN_A_BATCH[store.name]
    write(store, 2, 5)

    assert write(store, 1, many) == many
    assert counts(store, 1, 2) == [many, 5]
    assert store.delete(owner_of(1)) == many

    assert counts(store, 1, 2) == [0, 5]


def test_writer_that_may_not_write_changes_nothing(store: AnyStore) -> None:
    write(store, 1, 5)

    def refused() -> None:
        raise LeaseLostError(owner_of(1).saga_id)

    for number in (1, 2):
        with pytest.raises(LeaseLostError):
            write(store, number, 9, refused)

    assert counts(store, 1, 2) == [5, 0]


@pytest.mark.parametrize("kind", DURABLE)
def test_writer_that_loses_its_right_half_way_can_be_undone_and_repeated(
    tmp_path: Path, kind: str
) -> None:
    store = DURABLE[kind](tmp_path)
    many = MORE_THAN_A_BATCH[store.name]
    transactions = counting(1)
    last = 0

    def lost_at_the_last() -> None:
        if next(transactions) == last:
            raise LeaseLostError(owner_of(1).saga_id)

    write(store, 2, 5)
    write(store, 1, many, lost_at_the_last)
    last, transactions = next(transactions) - 1, counting(1)
    store.delete(owner_of(1))
    with pytest.raises(LeaseLostError):
        write(store, 1, many, lost_at_the_last)

    assert 0 < store.count(owner_of(1)) < many
    assert write(store, 1, 4) == 4
    assert counts(store, 1, 2) == [4, 5]
    store.close()


def test_writer_stopped_past_its_lease_leaves_the_rows_of_the_next_one(store: AnyStore) -> None:
    stopped_past_its_lease(
        lambda check_ownership: write(store, 1, 5, check_ownership),
        lambda check_ownership: write(store, 1, 8, check_ownership),
    )

    assert store.count(owner_of(1)) == 8
    assert store.delete(owner_of(1)) == 8


@pytest.mark.parametrize("kind", DURABLE)
def test_rows_are_there_when_the_store_is_opened_again(tmp_path: Path, kind: str) -> None:
    first = DURABLE[kind](tmp_path)
    write(first, 1, 7)
    first.close()

    again = DURABLE[kind](tmp_path)

    assert again.count(owner_of(1)) == 7
    assert list(again.owners()) == [owner_of(1)]
    again.close()


@pytest.mark.parametrize("kind", DURABLE)
def test_store_opened_twice_shows_the_rows_of_the_other(tmp_path: Path, kind: str) -> None:
    first, second = DURABLE[kind](tmp_path), DURABLE[kind](tmp_path)

    write(first, 1, 7)
    assert second.count(owner_of(1)) == 7
    assert second.delete(owner_of(1)) == 7

    assert first.count(owner_of(1)) == 0
    first.close()
    second.close()


_ENDLESS = """
import sys
from pathlib import Path
from tests.support.store_rows import owner_of
from tests.support.stores import DURABLE, MORE_THAN_A_BATCH, write

store = DURABLE[sys.argv[1]](Path(sys.argv[2]))
print("open", flush=True)
while True:
    write(store, 1, MORE_THAN_A_BATCH[store.name])
    store.delete(owner_of(1))
"""


@pytest.mark.parametrize("after_s", [0.03, 0.11, 0.23, 0.42, 0.71])
@pytest.mark.parametrize("kind", DURABLE)
def test_process_killed_while_it_writes_or_deletes_leaves_what_can_be_removed(
    tmp_path: Path, kind: str, after_s: float
) -> None:
    before = DURABLE[kind](tmp_path)
    write(before, 2, 5)
    before.close()
    command = [sys.executable, "-c", _ENDLESS, kind, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        time.sleep(after_s)
        os.kill(child.pid, signal.SIGKILL)

    store = DURABLE[kind](tmp_path)

    left = store.count(owner_of(1))
    assert left <= MORE_THAN_A_BATCH[store.name]
    assert set(store.owners()) == {owner_of(2), *([owner_of(1)] if left else [])}
    assert store.delete(owner_of(1)) == left
    assert counts(store, 1, 2) == [0, 5]
    assert write(store, 1, 6) == 6
    assert counts(store, 1, 2) == [6, 5]
    store.close()
