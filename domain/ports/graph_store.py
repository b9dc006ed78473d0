"""The port of graph stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["GraphStore"]


class GraphStore(Protocol):
    """Document, chunk and passage nodes with their relations.

    A chunk node is part of its document, a passage node is extracted from it, and each is linked
    to the next one. Documents with the same content are linked in both directions.
    """

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
        """Replace the owner's nodes and relations by these. Returns the number of nodes."""

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's nodes with all their relations. Returns the number of nodes."""

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's nodes."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""

    def same_content(self, document_id: str) -> Sequence[str]:
        """The ids of the other documents with the same content."""

    def close(self) -> None:
        """Release the store's files."""
