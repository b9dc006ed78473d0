"""The port of manifest stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from sagaledger.domain.document.values import DocumentOwner

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["ManifestStore"]


class ManifestStore(Protocol):
    """Signed manifests, one record per document."""

    @property
    def name(self) -> str:
        """The store's name in events and residue."""

    def put(self, owner: DocumentOwner, manifest: bytes, check_ownership: OwnershipCheck) -> None:
        """Store or replace the owner's manifest, durably."""

    def get(self, document_id: str) -> bytes | None:
        """The manifest, or None."""

    def delete(self, owner: DocumentOwner) -> bool:
        """Delete the owner's manifest. Returns False if there is none."""

    def count(self, owner: DocumentOwner) -> int:
        """1 if the owner has a manifest, else 0."""

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has a manifest."""
