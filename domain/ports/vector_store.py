"""The port of vector stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from sagaledger.domain.document.records import VectorHit, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["VectorStore"]


class VectorStore(Protocol):
    """Vectors of passages."""

    @property
    def name(self) -> str:
        """What events and residue call this store."""

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder, the first time for good.

        Raises:
            EmbedderMismatchError: it holds vectors of another one.
        """

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        """Leave exactly these vectors for the owner. Returns how many.

        Raises:
            VectorInvalidError: one is of another length, or not made of numbers.
        """

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's vectors. Returns how many there were."""

    def count(self, owner: DocumentOwner) -> int:
        """How many vectors the owner has."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors of any owner, nearest first."""

    def close(self) -> None:
        """Release files."""
