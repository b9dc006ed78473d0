"""Uploads without a document: the first three steps as a saga, and discarding such an upload."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.documents.deletion import build_chunk_removal_step
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.ingestion.definition import build_ingestion_definition
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.upload.events import UploadStarted
from sagaledger.domain.upload.values import upload_id_of
from sagaledger.domain.values import Parameters, Value

__all__ = [
    "CHUNKED_UPLOAD",
    "CHUNKED_UPLOAD_VERSION",
    "DISCARD",
    "DISCARD_VERSION",
    "ChunkCleanup",
    "ChunkedUpload",
    "build_chunked_upload_definition",
    "build_discard_definition",
    "chunked_upload_of",
    "discard_parameters",
    "require_discardable",
]

CHUNKED_UPLOAD = "chunked-upload"
CHUNKED_UPLOAD_VERSION = 1
DISCARD = "discard-upload"
DISCARD_VERSION = 1
_STEPS = ("validate", "start", "upload")


@dataclass(frozen=True, slots=True)
class ChunkedUpload:
    """A file whose chunks are all durable in the chunk store, and that no document refers to."""

    upload_id: UUID
    saga_id: UUID
    chunk_count: int
    size_bytes: int
    sha256: str
    """The digest of the whole file."""
    attempts: int
    """The number of attempts of the upload step, the first one included."""


@dataclass(frozen=True, slots=True)
class ChunkCleanup:
    """The result of removing an upload's chunks, as the chunk store lists them afterwards."""

    total: int
    """The number of chunks before the removal."""
    deleted: int
    failed: tuple[Residue, ...]
    """The number of remaining chunks. The next recovery tries again."""

    @property
    def success_rate(self) -> float:
        """The share of the chunks that were removed; 1 if there were none."""
        return self.deleted / self.total if self.total else 1.0


def build_chunked_upload_definition(
    services: IngestionServices, parameters: Parameters
) -> SagaDefinition:
    """Validate, start and upload, with the same undo as in an ingestion."""
    whole = build_ingestion_definition(services, parameters)
    steps = [whole.step(name) for name in _STEPS]
    return SagaDefinition(CHUNKED_UPLOAD, steps, CHUNKED_UPLOAD_VERSION)


def chunked_upload_of(result: SagaExecutionResult) -> ChunkedUpload:
    """The upload that a completed saga made."""
    sent = result.outputs["upload"]
    return ChunkedUpload(
        upload_id=upload_id_of(result.saga_id),
        saga_id=result.saga_id,
        chunk_count=int(str(sent["chunk_count"])),
        size_bytes=int(str(sent["size_bytes"])),
        sha256=str(sent["sha256"]),
        attempts=int(str(sent["attempts"])),
    )


def build_discard_definition(services: IngestionServices) -> SagaDefinition:
    """One step that only goes forward: it removes the chunks and checks the store."""
    return SagaDefinition(
        DISCARD, [build_chunk_removal_step(services)], DISCARD_VERSION, pivot="chunks"
    )


def discard_parameters(upload_id: UUID, source: str) -> dict[str, Value]:
    """The parameters of a discard."""
    return {"upload_id": upload_id.hex, "source": source}


def require_discardable(services: IngestionServices, upload_id: UUID) -> Saga:
    """The saga of an upload that no document needs.

    Raises:
        NotFoundError: The upload does not exist.
        SagaStateError: Its saga is running, or a document owns the chunks.
    """
    first = next(events_of(services.log.read_stream(upload_id)), None)
    if first is None or not isinstance(first.event, UploadStarted):
        raise NotFoundError("upload", upload_id.hex)
    saga = load_saga(services.log, UUID(first.event.saga_id))
    if saga.status.is_open:
        raise SagaStateError(f"saga {saga.id.hex} is {saga.status.value}; roll it back instead")
    if saga.status is SagaStatus.COMPLETED and saga.definition != CHUNKED_UPLOAD:
        raise SagaStateError(f"upload {upload_id.hex} is a document's; delete the document instead")
    return saga
