"""The port that finds sagas by what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.ports.open_sagas import OpenSagas

__all__ = ["SagaDirectory"]


class SagaDirectory(OpenSagas, Protocol):
    """Finds sagas without replaying the whole log, as of its newest event."""

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
