"""The port of downstream stores: each takes verified documents, one after the other in a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["DownstreamStore"]


class DownstreamStore(Protocol):
    """Holds something of each document: vectors, nodes, rows, the terms of a search index.

    An ingestion writes to each store of the list in a step of its own, and asks it what it holds
    before the commit is decided. A rollback, a deletion and a sweep empty it, a verification counts
    it. Every item belongs to one owner, and no call for one owner touches the items of another.
    Calls come from several threads at once, with positional arguments.
    """

    @property
    def name(self) -> str:
        """What the step is called, and what events, residue and the orphan list call the store.

        Stored in the log: never change it once a document was written.
        """

    def expected(self, document: DocumentRecord) -> int:
        """How many items the store holds of a document that it has taken as a whole."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Leave exactly this document's items for its owner. Returns how many.

        A repetition leaves the same as one call. Items may be read before the commit is decided:
        what readers may see, the relational store says.

        Args:
            document: what the items are of; `document.owner` is their key.
            chunks: the chunks in order; to be read once.
            passages: the passages in order; to be read once. They do not all fit into memory.
            check_ownership: to be called in each transaction that writes, before it commits.

        Raises:
            StorageBackendError: the store failed; another attempt is made if it is retryable.
        """

    def count(self, owner: DocumentOwner) -> int:
        """How many items the owner has."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's items, durably. Returns how many there were. Idempotent."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has items, in any order."""

    def close(self) -> None:
        """Release files and connections."""
