"""A graph store in memory, for tests and embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["MemoryGraphStore"]


@dataclass(frozen=True, slots=True)
class _Nodes:
    document: DocumentRecord
    chunks: tuple[ChunkRow, ...]
    passages: tuple[Passage, ...]

    @property
    def count(self) -> int:
        return 1 + len(self.chunks) + len(self.passages)


class MemoryGraphStore:
    """A graph store that lives as long as its process. Relations are derived from the nodes."""

    def __init__(self) -> None:
        self._nodes: dict[DocumentOwner, _Nodes] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return "graph"

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's nodes by these. Returns the number of nodes."""
        nodes = _Nodes(document, tuple(chunks), tuple(passages))
        with self._lock:
            check_ownership()
            self._nodes[document.owner] = nodes
        return nodes.count

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's nodes. Returns the number of nodes."""
        with self._lock:
            nodes = self._nodes.pop(owner, None)
        return nodes.count if nodes else 0

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's nodes."""
        with self._lock:
            nodes = self._nodes.get(owner)
        return nodes.count if nodes else 0

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""
        with self._lock:
            return iter(list(self._nodes))

    def same_content(self, document_id: str) -> Sequence[str]:
        """The ids of the other documents with the same content."""
        with self._lock:
            documents = [nodes.document for nodes in self._nodes.values()]
        contents = {d.content_id for d in documents if d.document_id == document_id}
        return sorted(
            d.document_id
            for d in documents
            if d.content_id in contents and d.document_id != document_id
        )

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
