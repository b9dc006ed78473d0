"""The port that finds sagas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.saga.summary import SagaSummary

__all__ = ["SagaDirectory"]


class SagaDirectory(Protocol):
    """Finds sagas without replaying the whole log. Always up to date with the log when asked."""

    def open_sagas(self) -> Sequence[SagaSummary]:
        """Every saga that has not ended, oldest first."""

    def unclean_sagas(self) -> Sequence[SagaSummary]:
        """Every saga whose rollback left residue."""

    def all_sagas(self, limit: int = 1000) -> Sequence[SagaSummary]:
        """The newest sagas, newest first."""

    def by_id_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas whose id starts with this prefix."""

    def by_document_prefix(self, prefix: str) -> Sequence[SagaSummary]:
        """Sagas about a document whose id starts with this prefix, oldest first."""

    def reading(self, device: int, inode: int) -> Sequence[SagaSummary]:
        """Open sagas that read this file."""
