"""Removes the chunks of an upload that no document needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.housekeeping.adoption import AdoptionGuard
from sagaledger.application.ingestion.chunked_upload import (
    ChunkCleanup,
    build_discard_definition,
    discard_parameters,
    require_discardable,
)
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.upload.values import upload_prefix_of
from sagaledger.domain.values import Parameters

__all__ = ["ChunkRemover"]


@dataclass(frozen=True, slots=True)
class ChunkRemover:
    """Retries a failed rollback, or runs a saga that discards the upload."""

    services: IngestionServices
    adoptions: AdoptionGuard
    drive: Callable[[UUID], object]
    run: Callable[[SagaDefinition, Parameters], object]

    def remove(self, upload_id: UUID) -> ChunkCleanup:
        """Remove the chunks of an upload, and list what the store still holds.

        Raises:
            NotFoundError: The upload does not exist.
            SagaStateError: Its saga is running, or a document owns the chunks.
            OrphanAdoptedError: An orphan of its saga is adopted.
            StorageBackendError: The store cannot list the chunks.
        """
        saga = require_discardable(self.services, upload_id)
        self.adoptions.require_none(saga.id)
        chunks = self.services.chunks
        prefix = upload_prefix_of(upload_id)
        total = sum(1 for _ in chunks.list(prefix))
        if saga.status is SagaStatus.COMPENSATION_FAILED:
            self.drive(saga.id)
        else:
            source = str(saga.parameters.get("source", ""))
            definition = build_discard_definition(self.services)
            self.run(definition, discard_parameters(upload_id, source))
        left = tuple(Residue(chunks.name, chunk.key) for chunk in chunks.list(prefix))
        return ChunkCleanup(total, total - len(left), left)
