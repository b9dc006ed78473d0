"""The port of vector stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sagaledger.domain.document.records import VectorHit, VectorRow
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["VectorStore"]


class VectorStore(Protocol):
    """Vectors of passages."""

    @property
    def name(self) -> str:
        """The store's name in events and residue."""

    def prepare(self, embedder: EmbedderIdentity) -> None:
        """Bind the store to one embedder. The first call binds it permanently.

        Raises:
            EmbedderMismatchError: the store is bound to another embedder.
        """

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        """Replace the owner's vectors by these. Returns the number of vectors.

        Raises:
            VectorInvalidError: a vector has the wrong length or a number that is not finite.
        """

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's vectors. Returns the number of deleted vectors."""

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's vectors."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has vectors."""

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        """The nearest vectors over all owners, nearest first."""

    def close(self) -> None:
        """Release the store's files."""
