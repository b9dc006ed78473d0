"""A vector store in memory with an exhaustive search, for tests and embedding."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from sagaledger.domain.document.errors import EmbedderMismatchError
from sagaledger.domain.document.records import VectorHit, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.errors import StorageBackendError
from sagaledger.infrastructure.vector_stores.vector_numbers import numbers_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["MemoryVectorStore"]

_NAME = "vector"


class MemoryVectorStore:
    """A vector store that lives as long as its process."""

    def __init__(self) -> None:
        self._embedder: EmbedderIdentity | None = None
        self._rows: dict[DocumentOwner, dict[int, array[float]]] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder. The first call binds it permanently.

        Raises:
            EmbedderMismatchError: the store is bound to another embedder.
        """
        with self._lock:
            if self._embedder not in (None, embedder):
                assert self._embedder is not None
                raise EmbedderMismatchError(self._embedder, embedder)
            self._embedder = embedder

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        """Replace the owner's vectors by these. Returns the number of vectors."""
        stored = {row.passage: self._checked(row.vector, "upsert") for row in rows}
        with self._lock:
            check_ownership()
            self._rows.pop(owner, None)
            if stored:
                self._rows[owner] = stored
        return len(stored)

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's vectors. Returns the number of deleted vectors."""
        with self._lock:
            return len(self._rows.pop(owner, {}))

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's vectors."""
        with self._lock:
            return len(self._rows.get(owner, {}))

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""
        with self._lock:
            return iter(list(self._rows))

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors over all owners, nearest first."""
        if self._embedder is None or limit < 1:
            return []
        query = self._checked(vector, "search")
        # A zero vector is similar to nothing.
        if not any(query):
            return []
        with self._lock:
            hits = [
                VectorHit(owner.document_id, owner.saga_id, passage, _cosine(query, stored))
                for owner, rows in self._rows.items()
                for passage, stored in rows.items()
                if any(stored)
            ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.document_id, hit.passage))[:limit]

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _checked(self, vector: bytes, operation: str) -> array[float]:
        if self._embedder is None:
            raise StorageBackendError(_NAME, operation, "the store is not prepared")
        return numbers_of(vector, self._embedder)


def _cosine(a: array[float], b: array[float]) -> float:
    norm = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norm
