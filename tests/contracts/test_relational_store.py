"""What every relational store promises beyond the rows it keeps: what readers see, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sagaledger.domain.document.records import DocumentRecord, Passage
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.infrastructure.relational_stores.memory import MemoryRelationalStore
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore

from tests.support.store_rows import allowed, chunk_rows, document_of, owner_of, passage_rows

ONE = owner_of(1)
MAKERS: dict[str, Callable[[Path], RelationalStore]] = {
    "sqlalchemy": lambda folder: SqlAlchemyRelationalStore(folder / "relational.sqlite"),
    "memory": lambda _: MemoryRelationalStore(),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RelationalStore]:
    opened = MAKERS[request.param](tmp_path)
    yield opened
    opened.close()


def put(store: RelationalStore, *documents: DocumentRecord, commit: bool = True) -> None:
    """Write documents with two chunks and four passages each."""
    for document in documents:
        store.upsert(document, chunk_rows(2), passage_rows(4), allowed)
        if commit:
            store.commit(document.owner)


def visible(store: RelationalStore) -> tuple[int, int, int, int, int]:
    """What each way of reading shows of document 1."""
    document = document_of(1)
    return (
        len(store.documents()),
        len(store.find(document.document_id)),
        len(store.with_size(document.namespace, document.size_bytes)),
        len(store.committed_among([ONE])),
        len(store.passages(ONE, range(4))),
    )


SEEN, UNSEEN = (1, 1, 1, 1, 4), (0, 0, 0, 0, 0)


def test_pending_document_is_seen_by_no_reader(store: RelationalStore) -> None:
    put(store, document_of(1), commit=False)

    assert visible(store) == UNSEEN
    assert store.count(ONE) == 7


def test_committed_document_is_seen_whole_as_it_was_written(store: RelationalStore) -> None:
    put(store, document_of(1), commit=False)

    assert store.commit(ONE) == 1

    assert visible(store) == SEEN
    assert list(store.documents()) == [document_of(1)]
    assert store.passages(ONE, [3, 1, 9]) == {
        3: Passage(3, 2, "words 3"),
        1: Passage(1, 1, "words 1"),
    }


def test_document_committed_again_stays_committed(store: RelationalStore) -> None:
    put(store, document_of(1))

    assert store.commit(ONE) == 1
    assert visible(store) == SEEN


def test_unknown_document_is_neither_committed_nor_hidden(store: RelationalStore) -> None:
    assert store.commit(ONE) == 0
    assert store.hide(ONE) == 0
    assert visible(store) == UNSEEN


def test_committed_document_written_again_stays_seen(store: RelationalStore) -> None:
    put(store, document_of(1))

    assert store.upsert(document_of(1), chunk_rows(2), passage_rows(4), allowed) == 7

    assert visible(store) == SEEN


def test_hidden_document_is_seen_by_no_reader_and_still_counted(store: RelationalStore) -> None:
    put(store, document_of(1), document_of(2))

    assert store.hide(ONE) == 1
    assert store.hide(ONE) == 1

    assert list(store.documents()) == [document_of(2)]
    assert store.passages(ONE, range(4)) == {}
    assert store.count(ONE) == 7


def test_hidden_document_is_not_committed_by_a_late_commit(store: RelationalStore) -> None:
    put(store, document_of(1))
    store.hide(ONE)

    assert store.commit(ONE) == 0
    assert visible(store) == UNSEEN


def test_pending_document_is_not_hidden(store: RelationalStore) -> None:
    put(store, document_of(1), commit=False)

    assert store.hide(ONE) == 0
    assert store.commit(ONE) == 1


def test_documents_are_listed_newest_first_up_to_the_limit(store: RelationalStore) -> None:
    made = [document_of(number, created_us=when) for number, when in ((1, 5), (2, 9), (3, 7))]
    put(store, *made)

    assert list(store.documents()) == [made[1], made[2], made[0]]
    assert list(store.documents(limit=2)) == [made[1], made[2]]


def test_documents_are_found_by_the_beginning_of_their_id(store: RelationalStore) -> None:
    other = replace(document_of(2), document_id="Default%aa_2")
    put(store, document_of(1), other)

    assert list(store.find("default-aa")) == [document_of(1)]
    assert list(store.find("Default%")) == [other]
    assert list(store.find("default_aa")) == list(store.find("%")) == []
    assert len(store.find("")) == 2


def test_documents_of_one_size_are_found_in_their_namespace_only(store: RelationalStore) -> None:
    others = [
        replace(document_of(2), size_bytes=1001),
        replace(document_of(3), namespace="elsewhere"),
    ]
    put(store, document_of(1), *others)

    assert list(store.with_size("default", 1000)) == [document_of(1)]


def test_committed_documents_are_told_among_thousands(store: RelationalStore) -> None:
    put(store, document_of(1), document_of(2_500))
    put(store, document_of(3), commit=False)

    asked = [owner_of(number) for number in range(1, 2_600)]

    assert store.committed_among(asked) == {owner_of(1), owner_of(2_500)}
    assert store.committed_among([]) == frozenset()


def test_thousands_of_passages_are_read_at_once(store: RelationalStore) -> None:
    store.upsert(document_of(1), [], passage_rows(2_500), allowed)
    store.commit(ONE)

    assert list(store.passages(ONE, range(3_000)).values()) == passage_rows(2_500)


@pytest.mark.parametrize("text", ["", "a\0b", "tab\tand\nline", "𝄞 ünï", "'; DROP TABLE x; --"])
def test_any_text_comes_back_as_it_was(store: RelationalStore, text: str) -> None:
    store.upsert(document_of(1), [], [Passage(0, 1, text)], allowed)
    store.commit(ONE)

    assert store.passages(ONE, [0])[0].text == text


def test_half_a_surrogate_pair_is_replaced(store: RelationalStore) -> None:
    store.upsert(document_of(1), [], [Passage(0, 1, "half \ud83d pair")], allowed)
    store.commit(ONE)

    assert store.passages(ONE, [0])[0].text == "half ? pair"


def test_large_sizes_are_kept_exactly(store: RelationalStore) -> None:
    large = replace(document_of(1), size_bytes=2**53 + 1, created_us=2**62)
    put(store, large)

    assert list(store.documents()) == [large]
