"""The port of relational stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["RelationalStore"]


class RelationalStore(Protocol):
    """Rows of documents, chunks and passages. Their state decides which documents readers see."""

    @property
    def name(self) -> str:
        """The store's name in events and residue."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's rows by these, in state `pending`. Returns the number of rows.

        Rows that are committed already stay committed.
        """

    def commit(self, owner: DocumentOwner) -> int:
        """Flip the owner's rows from `pending` to `committed` in one transaction.

        Returns:
            The number of document rows that are committed now: 1, or 0 without such a document.
        """

    def hide(self, owner: DocumentOwner) -> int:
        """Hide a committed document from readers in one transaction, before its deletion."""

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's rows. Returns the number of deleted rows."""

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's rows, in any state."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has rows."""

    def documents(self, limit: int = 1000) -> Sequence[DocumentRecord]:
        """Committed documents, newest first."""

    def find(self, id_prefix: str) -> Sequence[DocumentRecord]:
        """Committed documents whose id starts with this prefix."""

    def with_size(self, namespace: str, size_bytes: int) -> Sequence[DocumentRecord]:
        """Committed documents of a namespace with this size: candidates for identical content."""

    def committed_among(self, owners: Sequence[DocumentOwner]) -> frozenset[DocumentOwner]:
        """Which of these owners' documents are committed."""

    def passages(self, owner: DocumentOwner, numbers: Sequence[int]) -> dict[int, Passage]:
        """Committed passages by number; missing numbers are omitted."""

    def close(self) -> None:
        """Release files and connections."""
