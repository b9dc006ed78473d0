"""The port that keeps passages between the steps of one worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol
from uuid import UUID

from sagaledger.domain.document.records import Passage

__all__ = ["PassageSpool"]


class PassageSpool(Protocol):
    """Keeps a document's passages between the steps of one worker. A crash loses them."""

    def store(self, saga_id: UUID, passages: Iterable[Passage]) -> int:
        """Store the passages in order. Returns the number of passages."""

    def read(self, saga_id: UUID) -> Iterator[Passage] | None:
        """The stored passages of a saga, or None if this worker has none."""

    def discard(self, saga_id: UUID) -> None:
        """Delete the saga's passages. Idempotent."""
