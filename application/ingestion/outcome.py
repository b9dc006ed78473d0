"""The outcome of ingesting one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.validate import opened_source
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.saga.result import SagaExecutionResult

if TYPE_CHECKING:
    from sagaledger.domain.ports.saga_directory import SagaDirectory

__all__ = ["IngestResult", "document_of", "readers_of"]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """The outcome of ingesting one file."""

    document: DocumentRecord | None
    """The committed document, or None if there is none."""
    saga: SagaExecutionResult | None
    """The result of the saga; None if a document with the same content existed."""
    shared_with: tuple[UUID, ...] = ()
    """Other sagas that were reading the same file when this one started."""

    @property
    def existed(self) -> bool:
        """Whether a document with the same content already existed."""
        return self.saga is None


def readers_of(
    services: IngestionServices, directory: SagaDirectory, source: str
) -> Sequence[SagaSummary]:
    """Open sagas that have the same file as their source.

    Raises:
        SourceNotFoundError: The file does not exist.
        SourceUnreadableError: The file cannot be read as a regular file.
    """
    with opened_source(services, source) as opened:
        seen = opened.fingerprint
    return directory.reading(seen.device, seen.inode)


def document_of(services: IngestionServices, saga: SagaExecutionResult) -> DocumentRecord | None:
    """The committed document that an ingestion made; None if it made none."""
    secured = saga.outputs.get("secure", {})
    if not saga.success or "document_id" not in secured:
        return None
    found = services.relational.find(str(secured["document_id"]))
    return found[0] if found else None
