"""A graph in memory: for tests and for embedding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
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
    """A graph store that lasts as long as its process; relations follow from the nodes."""

    def __init__(self) -> None:
        self._nodes: dict[DocumentOwner, _Nodes] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """What events and residue call this store."""
        return "graph"

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Leave exactly these nodes for the owner. Returns how many."""
        nodes = _Nodes(document, tuple(chunks), tuple(passages))
        with self._lock:
            check_ownership()
            self._nodes[document.owner] = nodes
        return nodes.count

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's nodes. Returns how many."""
        with self._lock:
            nodes = self._nodes.pop(owner, None)
        return nodes.count if nodes else 0

    def count(self, owner: DocumentOwner) -> int:
        """How many nodes the owner has."""
        with self._lock:
            nodes = self._nodes.get(owner)
        return nodes.count if nodes else 0

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""
        with self._lock:
            return iter(list(self._nodes))

    def same_content(self, document_id: str) -> Sequence[str]:
        """Ids of the other documents that hold the same bytes."""
        with self._lock:
            documents = [nodes.document for nodes in self._nodes.values()]
        contents = {d.content_id for d in documents if d.document_id == document_id}
        return sorted(
            d.document_id
            for d in documents
            if d.content_id in contents and d.document_id != document_id
        )

    def close(self) -> None:
        """Nothing to release."""
