"""The port of downstream stores, which receive verified documents in the order of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["DownstreamStore"]


class DownstreamStore(Protocol):
    """Stores items of each document: vectors, nodes, rows, or the terms of a search index.

    An ingestion writes to each store of the list in a separate step, and counts the items before
    the commit is decided. Rollbacks, deletions and sweeps delete the items; a verification counts
    them. Every item has one owner, and a call for one owner never changes the items of another.
    Threads call the methods concurrently, with positional arguments.
    """

    @property
    def name(self) -> str:
        """The name of the step, and of the store in events, residue and the orphan list.

        The log contains it: never change the name once a document was written.
        """

    def expected(self, document: DocumentRecord) -> int:
        """The number of items that the store has of a completely written document."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's items by this document's items. Returns the number of items.

        Idempotent. Items may be readable before the commit is decided: the relational store decides
        which documents readers see.

        Args:
            document: the document; `document.owner` is the key of its items.
            chunks: the chunks in order. Iterate once.
            passages: the passages in order. Iterate once; they may not fit into memory.
            check_ownership: call it in each write transaction, before the commit.

        Raises:
            StorageBackendError: the store failed. A retryable error leads to another attempt.
        """

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's items."""

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's items, durably. Returns the number of deleted items. Idempotent."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has items, in any order."""

    def close(self) -> None:
        """Release files and connections."""
