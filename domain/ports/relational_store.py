"""The port of relational stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["RelationalStore"]


class RelationalStore(Protocol):
    """Rows of documents, chunks and passages; what readers may see is decided here."""

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Leave exactly these rows for the owner, in state `pending`. Returns how many.

        Rows that are committed already stay committed.
        """

    def commit(self, owner: DocumentOwner) -> int:
        """Flip the owner's rows from `pending` to `committed` in one transaction.

        Returns:
            How many document rows are committed now: 1, or 0 if there is no such document.
        """

    def hide(self, owner: DocumentOwner) -> int:
        """Take a committed document out of readers' sight in one transaction, before deletion."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's rows. Returns how many there were."""

    def count(self, owner: DocumentOwner) -> int:
        """How many rows the owner has, in any state."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has rows."""

    def documents(self, limit: int = 1000) -> Sequence[DocumentRecord]:
        """Committed documents, newest first."""

    def find(self, id_prefix: str) -> Sequence[DocumentRecord]:
        """Committed documents whose id begins so."""

    def with_size(self, namespace: str, size_bytes: int) -> Sequence[DocumentRecord]:
        """Committed documents of a namespace with this size: candidates for equal content."""

    def committed_among(self, owners: Sequence[DocumentOwner]) -> frozenset[DocumentOwner]:
        """Which of these owners' documents are committed."""

    def passages(self, owner: DocumentOwner, numbers: Sequence[int]) -> dict[int, Passage]:
        """Committed passages by number; absent ones are left out."""

    def close(self) -> None:
        """Release files and connections."""
