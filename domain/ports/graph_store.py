"""The port of graph stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["GraphStore"]


class GraphStore(Protocol):
    """Document, chunk and passage nodes with their relations.

    Chunk and passage nodes are part of, and extracted from, their document and lead to the next;
    documents with the same content are linked both ways.
    """

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
        """Leave exactly these nodes and their relations for the owner. Returns how many nodes."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's nodes and every relation of theirs. Returns how many nodes."""

    def count(self, owner: DocumentOwner) -> int:
        """How many nodes the owner has."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""

    def same_content(self, document_id: str) -> Sequence[str]:
        """Ids of the other documents linked as holding the same bytes."""

    def close(self) -> None:
        """Release files."""
