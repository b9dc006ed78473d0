"""The vector, the graph and the relational store as members of the list of downstream stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from sagaledger.domain.document.errors import EmbedderMismatchError
from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.ports.vector_store import VectorStore

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["GraphIndex", "RelationalIndex", "VectorIndex"]

_EMBED_BATCH = 64

_Store = TypeVar("_Store", bound=VectorStore | GraphStore | RelationalStore)
_Items = TypeVar("_Items", bound=GraphStore | RelationalStore)


@dataclass(frozen=True, slots=True)
class _Index(Generic[_Store]):
    """What is the same of every store."""

    store: _Store

    def count(self, owner: DocumentOwner) -> int:
        """How many items the owner has."""
        return self.store.count(owner)

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's items."""
        return self.store.delete(owner)

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has items."""
        return self.store.owners()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


@dataclass(frozen=True, slots=True)
class VectorIndex(_Index[VectorStore]):
    """Embeds a document's passages, and keeps a vector of each."""

    embedder: Embedder
    name = "vector"

    def expected(self, document: DocumentRecord) -> int:
        """A vector per passage."""
        return document.passage_count

    def upsert(
        self,
        document: DocumentRecord,
        _chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's vectors by those of these passages.

        Raises:
            EmbedderMismatchError: The store or the document has vectors of another embedder.
            StorageBackendError: The store failed.
        """
        identity = self.embedder.identity
        if document.embedder != identity.name:
            stored = EmbedderIdentity(document.embedder, identity.dimension)
            raise EmbedderMismatchError(stored, identity)
        self.store.prepare(identity)
        return self.store.upsert(document.owner, self._rows(passages), check_ownership)

    def _rows(self, passages: Iterable[Passage]) -> Iterator[VectorRow]:
        left = iter(passages)
        while batch := list(islice(left, _EMBED_BATCH)):
            vectors = self.embedder.embed([passage.text for passage in batch])
            for passage, vector in zip(batch, vectors, strict=True):
                yield VectorRow(passage.number, vector)


@dataclass(frozen=True, slots=True)
class _ItemIndex(_Index[_Items]):
    """One item for the document, one for each chunk and one for each passage."""

    def expected(self, document: DocumentRecord) -> int:
        """The document itself, its chunks and its passages."""
        return document.item_count

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's items by these; see the store's port for the errors."""
        return self.store.upsert(document, chunks, passages, check_ownership)


@dataclass(frozen=True, slots=True)
class GraphIndex(_ItemIndex[GraphStore]):
    """A node for the document, one for each chunk and one for each passage."""

    name = "graph"


@dataclass(frozen=True, slots=True)
class RelationalIndex(_ItemIndex[RelationalStore]):
    """A row for the document, one for each chunk and one for each passage.

    The rows are `pending`: readers do not see them until the commit.
    """

    name = "relational"
