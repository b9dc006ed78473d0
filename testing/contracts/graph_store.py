"""What every graph store promises in addition to stored nodes."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.testing.contracts.stored_rows import StoredRowsContract
from sagaledger.testing.document_rows import chunk_rows, document_of, owner_of, passage_rows
from sagaledger.testing.writers import allowed

__all__ = ["GraphStoreContract"]


class GraphStoreContract(StoredRowsContract[GraphStore]):
    """The tests of a `GraphStore`.

    Example:
        class TestMyGraphStore(GraphStoreContract):
            def open_store(self, folder: Path) -> GraphStore:
                return MyGraphStore(folder / "graph.db")
    """

    more_than_a_transaction = 21_000

    def open_store(self, folder: Path) -> GraphStore:
        """Open the store that keeps its data in this folder, empty the first time."""
        raise NotImplementedError

    def write(
        self, store: GraphStore, number: int, count: int, check_ownership: OwnershipCheck = allowed
    ) -> int:
        """Write `count` nodes for a document: itself, up to ten chunks, and passages."""
        chunks = chunk_rows(min(10, count - 1))
        passages = passage_rows(count - 1 - len(chunks))
        return store.upsert(document_of(number), chunks, passages, check_ownership)

    def test_documents_of_the_same_content_are_linked_both_ways(self, store: GraphStore) -> None:
        for number, content in ((1, "aa"), (2, "bb"), (3, "aa"), (4, "aa")):
            store.upsert(document_of(number, content), [], [], allowed)

        assert store.same_content(_ids(1)[0]) == _ids(3, 4)
        assert store.same_content(_ids(3)[0]) == _ids(1, 4)
        assert store.same_content(_ids(2)[0]) == []

    def test_document_written_again_is_linked_once(self, store: GraphStore) -> None:
        for number in (1, 2, 2, 1):
            store.upsert(document_of(number), [], [], allowed)

        assert store.same_content(_ids(1)[0]) == _ids(2)
        assert store.same_content(_ids(2)[0]) == _ids(1)

    def test_document_deleted_is_linked_to_nothing(self, store: GraphStore) -> None:
        for number in (1, 2, 3):
            store.upsert(document_of(number), [], [], allowed)

        store.delete(owner_of(2))

        assert store.same_content(_ids(1)[0]) == _ids(3)
        assert store.same_content(_ids(2)[0]) == []

    def test_unknown_document_has_no_links(self, store: GraphStore) -> None:
        assert store.same_content("default-zz-9") == []


def _ids(*numbers: int) -> list[str]:
    return [owner_of(number).document_id for number in numbers]
