"""The port that keeps passages between the steps of one worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol
from uuid import UUID

from sagaledger.domain.document.records import Passage

__all__ = ["PassageSpool"]


class PassageSpool(Protocol):
    """Keeps a document's passages between the steps of one worker; gone after a crash."""

    def store(self, saga_id: UUID, passages: Iterable[Passage]) -> int:
        """Keep the passages in order. Returns how many."""

    def read(self, saga_id: UUID) -> Iterator[Passage] | None:
        """The passages kept for a saga, or None if this worker has none."""

    def discard(self, saga_id: UUID) -> None:
        """Forget them. Idempotent."""
