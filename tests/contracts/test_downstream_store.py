"""A store of documents' items in the list of downstream stores keeps what the list relies on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.testing import DownstreamStoreContract


class Rows:
    """The relational store as a member of the list."""

    name = "relational"

    def __init__(self, path: Path) -> None:
        self._store = SqlAlchemyRelationalStore(path)

    def expected(self, document: DocumentRecord) -> int:
        return document.item_count

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        return self._store.upsert(document, chunks, passages, check_ownership)

    def count(self, owner: DocumentOwner) -> int:
        return self._store.count(owner)

    def delete(self, owner: DocumentOwner) -> int:
        return self._store.delete(owner)

    def owners(self) -> Iterator[DocumentOwner]:
        return self._store.owners()

    def close(self) -> None:
        self._store.close()


class TestRows(DownstreamStoreContract):
    more_than_a_transaction = 10_500

    def open_store(self, folder: Path) -> DownstreamStore:
        return Rows(folder / "rows.sqlite")
