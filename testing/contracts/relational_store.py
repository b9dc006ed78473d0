"""What every relational store promises in addition to rows: what readers see, and when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sagaledger.domain.document.records import DocumentRecord, Passage
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.testing.contracts.stored_rows import StoredRowsContract
from sagaledger.testing.document_rows import chunk_rows, document_of, owner_of, passage_rows
from sagaledger.testing.writers import allowed

__all__ = ["RelationalStoreContract"]

_ONE = owner_of(1)
_SEEN, _UNSEEN = (1, 1, 1, 1, 4), (0, 0, 0, 0, 0)


class RelationalStoreContract(StoredRowsContract[RelationalStore]):
    """The tests of a `RelationalStore`.

    Example:
        class TestMyRelationalStore(RelationalStoreContract):
            def open_store(self, folder: Path) -> RelationalStore:
                return MyRelationalStore(folder / "relational.db")
    """

    more_than_a_transaction = 10_500

    def open_store(self, folder: Path) -> RelationalStore:
        """Open the store that keeps its data in this folder, empty the first time."""
        raise NotImplementedError

    def write(
        self,
        store: RelationalStore,
        number: int,
        count: int,
        check_ownership: OwnershipCheck = allowed,
    ) -> int:
        """Write `count` rows for a document: itself, up to ten chunks, and passages."""
        chunks = chunk_rows(min(10, count - 1))
        passages = passage_rows(count - 1 - len(chunks))
        return store.upsert(document_of(number), chunks, passages, check_ownership)

    def test_pending_document_is_seen_by_no_reader(self, store: RelationalStore) -> None:
        _put(store, document_of(1), commit=False)

        assert _visible(store) == _UNSEEN
        assert store.count(_ONE) == 7

    def test_committed_document_is_seen_whole_as_it_was_written(
        self, store: RelationalStore
    ) -> None:
        _put(store, document_of(1), commit=False)

        assert store.commit(_ONE) == 1

        assert _visible(store) == _SEEN
        assert list(store.documents()) == [document_of(1)]
        assert store.passages(_ONE, [3, 1, 9]) == {
            3: Passage(3, 2, "words 3"),
            1: Passage(1, 1, "words 1"),
        }

    def test_document_committed_again_stays_committed(self, store: RelationalStore) -> None:
        _put(store, document_of(1))

        assert store.commit(_ONE) == 1
        assert _visible(store) == _SEEN

    def test_unknown_document_is_neither_committed_nor_hidden(self, store: RelationalStore) -> None:
        assert store.commit(_ONE) == 0
        assert store.hide(_ONE) == 0
        assert _visible(store) == _UNSEEN

    def test_committed_document_written_again_stays_seen(self, store: RelationalStore) -> None:
        _put(store, document_of(1))

        assert store.upsert(document_of(1), chunk_rows(2), passage_rows(4), allowed) == 7

        assert _visible(store) == _SEEN

    def test_hidden_document_is_seen_by_no_reader_and_still_counted(
        self, store: RelationalStore
    ) -> None:
        _put(store, document_of(1), document_of(2))

        assert store.hide(_ONE) == 1
        assert store.hide(_ONE) == 1

        assert list(store.documents()) == [document_of(2)]
        assert store.passages(_ONE, range(4)) == {}
        assert store.count(_ONE) == 7

    def test_hidden_document_is_not_committed_by_a_late_commit(
        self, store: RelationalStore
    ) -> None:
        _put(store, document_of(1))
        store.hide(_ONE)

        assert store.commit(_ONE) == 0
        assert _visible(store) == _UNSEEN

    def test_pending_document_is_not_hidden(self, store: RelationalStore) -> None:
        _put(store, document_of(1), commit=False)

        assert store.hide(_ONE) == 0
        assert store.commit(_ONE) == 1

    def test_documents_are_listed_newest_first_up_to_the_limit(
        self, store: RelationalStore
    ) -> None:
        made = [document_of(number, created_us=when) for number, when in ((1, 5), (2, 9), (3, 7))]
        _put(store, *made)

        assert list(store.documents()) == [made[1], made[2], made[0]]
        assert list(store.documents(limit=2)) == [made[1], made[2]]

    def test_documents_are_found_by_the_beginning_of_their_id(self, store: RelationalStore) -> None:
        other = replace(document_of(2), document_id="Default%aa_2")
        _put(store, document_of(1), other)

        assert list(store.find("default-aa")) == [document_of(1)]
        assert list(store.find("Default%")) == [other]
        assert list(store.find("default_aa")) == list(store.find("%")) == []
        assert len(store.find("")) == 2

    def test_documents_of_one_size_are_found_in_their_namespace_only(
        self, store: RelationalStore
    ) -> None:
        others = [
            replace(document_of(2), size_bytes=1001),
            replace(document_of(3), namespace="elsewhere"),
        ]
        _put(store, document_of(1), *others)

        assert list(store.with_size("default", 1000)) == [document_of(1)]

    def test_committed_documents_are_told_among_thousands(self, store: RelationalStore) -> None:
        _put(store, document_of(1), document_of(2_500))
        _put(store, document_of(3), commit=False)

        asked = [owner_of(number) for number in range(1, 2_600)]

        assert store.committed_among(asked) == {owner_of(1), owner_of(2_500)}
        assert store.committed_among([]) == frozenset()

    def test_thousands_of_passages_are_read_at_once(self, store: RelationalStore) -> None:
        store.upsert(document_of(1), [], passage_rows(2_500), allowed)
        store.commit(_ONE)

        assert list(store.passages(_ONE, range(3_000)).values()) == passage_rows(2_500)

    @pytest.mark.parametrize("text", ["", "a\0b", "tab\tand\nline", "𝄞 ünï", "'; DROP TABLE x; --"])
    def test_any_text_comes_back_as_it_was(self, store: RelationalStore, text: str) -> None:
        store.upsert(document_of(1), [], [Passage(0, 1, text)], allowed)
        store.commit(_ONE)

        assert store.passages(_ONE, [0])[0].text == text

    def test_half_a_surrogate_pair_is_replaced(self, store: RelationalStore) -> None:
        store.upsert(document_of(1), [], [Passage(0, 1, "half \ud83d pair")], allowed)
        store.commit(_ONE)

        assert store.passages(_ONE, [0])[0].text == "half ? pair"

    def test_large_sizes_are_kept_exactly(self, store: RelationalStore) -> None:
        large = replace(document_of(1), size_bytes=2**53 + 1, created_us=2**62)
        _put(store, large)

        assert list(store.documents()) == [large]


def _put(store: RelationalStore, *documents: DocumentRecord, commit: bool = True) -> None:
    """Write documents with two chunks and four passages each."""
    for document in documents:
        store.upsert(document, chunk_rows(2), passage_rows(4), allowed)
        if commit:
            store.commit(document.owner)


def _visible(store: RelationalStore) -> tuple[int, int, int, int, int]:
    """The result of each read method for document 1."""
    document = document_of(1)
    return (
        len(store.documents()),
        len(store.find(document.document_id)),
        len(store.with_size(document.namespace, document.size_bytes)),
        len(store.committed_among([_ONE])),
        len(store.passages(_ONE, range(4))),
    )
