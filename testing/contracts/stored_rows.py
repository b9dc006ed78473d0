"""What every store with rows of documents promises: vector, graph, relational and others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count as counting
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.domain.saga.errors import LeaseLostError
from sagaledger.testing.child_process import process_running, say_ready
from sagaledger.testing.contracts.contract import Contract, needs_durability
from sagaledger.testing.document_rows import owner_of
from sagaledger.testing.writers import allowed, refused, stopped_past_its_lease

__all__ = ["RowStore", "StoredRowsContract"]


class RowStore(Protocol):
    """The common methods of vector, graph and relational stores."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's rows. Returns their number."""

    def count(self, owner: DocumentOwner) -> int:
        """The number of rows of the owner."""

    def owners(self) -> Iterator[DocumentOwner]:
        """All owners that have rows."""

    def close(self) -> None:
        """Release files."""


_Store = TypeVar("_Store", bound=RowStore)


class StoredRowsContract(Contract, Generic[_Store]):
    """Rows are counted, replaced, deleted and undone by owner, even if a process is killed."""

    more_than_a_transaction: ClassVar[int] = 2_500
    """Enough rows for several transactions, if the store uses several."""

    def open_store(self, folder: Path) -> _Store:
        """Open the store that keeps its data in this folder, empty the first time.

        If the data is elsewhere (on a server), use the folder's path as its name there.
        """
        raise NotImplementedError

    def write(
        self, store: _Store, number: int, count: int, check_ownership: OwnershipCheck = allowed
    ) -> int:
        """Write `count` rows for a document, and return their number as the store reports it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[_Store]:
        """An empty store."""
        opened = self.open_store(tmp_path)
        yield opened
        opened.close()

    def test_rows_written_are_counted_and_their_owner_is_listed(self, store: _Store) -> None:
        assert self.write(store, 1, 7) == 7

        assert _counts(store, 1, 2) == [7, 0]
        assert list(store.owners()) == [owner_of(1)]

    def test_store_without_rows_has_no_owner_and_nothing_to_delete(self, store: _Store) -> None:
        assert list(store.owners()) == []
        assert store.count(owner_of(1)) == 0
        assert store.delete(owner_of(1)) == 0

    @settings(
        max_examples=10, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4))
    def test_rows_written_again_are_exactly_the_last_ones(
        self, tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
    ) -> None:
        store = self.open_store(tmp_path_factory.mktemp("again"))

        assert [self.write(store, 1, size) for size in sizes] == sizes

        assert store.count(owner_of(1)) == sizes[-1]
        assert store.delete(owner_of(1)) == sizes[-1]
        store.close()

    def test_rows_deleted_are_gone_and_other_owners_rows_stay(self, store: _Store) -> None:
        for number in (1, 2, 3):
            self.write(store, number, 5 + number)

        assert store.delete(owner_of(2)) == 7
        assert store.delete(owner_of(2)) == 0

        assert _counts(store, 1, 2, 3) == [6, 0, 8]
        assert set(store.owners()) == {owner_of(1), owner_of(3)}

    def test_more_rows_than_a_transaction_takes_are_written_and_deleted(
        self, store: _Store
    ) -> None:
        many = self.more_than_a_transaction
        self.write(store, 2, 5)

        assert self.write(store, 1, many) == many
        assert _counts(store, 1, 2) == [many, 5]
        assert store.delete(owner_of(1)) == many

        assert _counts(store, 1, 2) == [0, 5]

    def test_writer_that_may_not_write_changes_nothing(self, store: _Store) -> None:
        self.write(store, 1, 5)

        for number in (1, 2):
            with pytest.raises(LeaseLostError):
                self.write(store, number, 9, refused)

        assert _counts(store, 1, 2) == [5, 0]

    def test_writer_that_loses_its_right_half_way_can_be_undone_and_repeated(
        self, store: _Store
    ) -> None:
        many = self.more_than_a_transaction
        transactions = counting(1)
        last = 0

        def lost_at_the_last() -> None:
            if next(transactions) == last:
                raise LeaseLostError(owner_of(1).saga_id)

        self.write(store, 2, 5)
        self.write(store, 1, many, lost_at_the_last)
        last, transactions = next(transactions) - 1, counting(1)
        store.delete(owner_of(1))
        with pytest.raises(LeaseLostError):
            self.write(store, 1, many, lost_at_the_last)

        # A store that writes everything in one transaction has written nothing.
        assert store.count(owner_of(1)) < many
        assert self.write(store, 1, 4) == 4
        assert _counts(store, 1, 2) == [4, 5]

    def test_writer_stopped_past_its_lease_leaves_the_rows_of_the_next_one(
        self, store: _Store
    ) -> None:
        stopped_past_its_lease(
            lambda check_ownership: self.write(store, 1, 5, check_ownership),
            lambda check_ownership: self.write(store, 1, 8, check_ownership),
        )

        assert store.count(owner_of(1)) == 8
        assert store.delete(owner_of(1)) == 8

    @needs_durability
    def test_rows_are_there_when_the_store_is_opened_again(self, tmp_path: Path) -> None:
        first = self.open_store(tmp_path)
        self.write(first, 1, 7)
        first.close()

        again = self.open_store(tmp_path)

        assert again.count(owner_of(1)) == 7
        assert list(again.owners()) == [owner_of(1)]
        again.close()

    @needs_durability
    def test_store_opened_twice_shows_the_rows_of_the_other(self, tmp_path: Path) -> None:
        first, second = self.open_store(tmp_path), self.open_store(tmp_path)

        self.write(first, 1, 7)
        assert second.count(owner_of(1)) == 7
        assert second.delete(owner_of(1)) == 7

        assert first.count(owner_of(1)) == 0
        first.close()
        second.close()

    @needs_durability
    @pytest.mark.parametrize("after_s", [0.03, 0.11, 0.23, 0.42, 0.71])
    def test_process_killed_while_it_writes_or_deletes_leaves_what_can_be_removed(
        self, tmp_path: Path, after_s: float
    ) -> None:
        before = self.open_store(tmp_path)
        self.write(before, 2, 5)
        before.close()
        with process_running(self, "write_and_delete_forever", tmp_path):
            # At whatever point the process was killed, the following must be true.
            time.sleep(after_s)

        store = self.open_store(tmp_path)

        left = store.count(owner_of(1))
        assert left <= self.more_than_a_transaction
        assert set(store.owners()) == {owner_of(2), *([owner_of(1)] if left else [])}
        assert store.delete(owner_of(1)) == left
        assert _counts(store, 1, 2) == [0, 5]
        assert self.write(store, 1, 6) == 6
        assert _counts(store, 1, 2) == [6, 5]
        store.close()

    def write_and_delete_forever(self, folder: Path) -> None:
        """The work of the killed process."""
        store = self.open_store(folder)
        say_ready()
        while True:
            self.write(store, 1, self.more_than_a_transaction)
            store.delete(owner_of(1))


def _counts(store: RowStore, *numbers: int) -> list[int]:
    return [store.count(owner_of(number)) for number in numbers]
