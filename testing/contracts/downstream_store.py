"""What every downstream store promises, whatever its items are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.testing.contracts.stored_rows import StoredRowsContract
from sagaledger.testing.document_rows import chunk_rows, document_of, passage_rows
from sagaledger.testing.writers import allowed

__all__ = ["DownstreamStoreContract"]


class DownstreamStoreContract(StoredRowsContract[DownstreamStore]):
    """The tests of a `DownstreamStore`.

    Example:
        class TestMySearchIndex(DownstreamStoreContract):
            def open_store(self, folder: Path) -> DownstreamStore:
                return MySearchIndex(folder / "index.db")
    """

    def open_store(self, folder: Path) -> DownstreamStore:
        """Open the store that keeps its data in this folder, empty the first time."""
        raise NotImplementedError

    def write(
        self,
        store: DownstreamStore,
        number: int,
        count: int,
        check_ownership: OwnershipCheck = allowed,
    ) -> int:
        """Write a document with enough passages for `count` items.

        Override it for a store whose items are neither one for each passage, nor one for the
        document and one for each passage.
        """
        for passages in (count, count - 1):
            document = replace(document_of(number), chunk_count=0, passage_count=passages)
            if store.expected(document) == count:
                rows = iter(passage_rows(passages))
                return store.upsert(document, iter(()), rows, check_ownership)
        raise NotImplementedError("override `write`: the items are not those of the passages")

    def test_store_has_one_name_whenever_it_is_opened(
        self, store: DownstreamStore, tmp_path: Path
    ) -> None:
        place = tmp_path / "another place"
        place.mkdir()
        other = self.open_store(place)

        assert store.name
        assert store.name == other.name
        other.close()

    def test_whole_document_leaves_as_many_items_as_are_expected(
        self, store: DownstreamStore
    ) -> None:
        document = document_of(1)
        chunks, passages = chunk_rows(document.chunk_count), passage_rows(document.passage_count)

        count = store.upsert(document, iter(chunks), iter(passages), allowed)

        assert count == store.count(document.owner) == store.expected(document)

    def test_document_without_text_leaves_as_many_items_as_are_expected(
        self, store: DownstreamStore
    ) -> None:
        document = replace(document_of(1), chunk_count=0, passage_count=0)

        count = store.upsert(document, iter(()), iter(()), allowed)

        assert count == store.count(document.owner) == store.expected(document)
