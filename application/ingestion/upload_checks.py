"""Checks an upload without a document: its saga succeeded, and its chunks are intact."""

from __future__ import annotations

from uuid import UUID

from sagaledger.application.documents.reading import verify_upload
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.ingestion.chunked_upload import ChunkedUpload, chunked_upload_of
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.verify import REASON_OF_CHECK
from sagaledger.domain.errors import NotFoundError
from sagaledger.domain.saga.errors import (
    CompensationError,
    SagaRollbackRequired,
    SagaStateError,
)
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import RollbackReason, SagaStatus
from sagaledger.domain.upload.errors import IntegrityMismatchError
from sagaledger.domain.upload.events import IntegrityFailed, IntegrityVerified
from sagaledger.domain.upload.state import UploadStatus

__all__ = ["require_intact", "require_sent"]


def require_sent(result: SagaExecutionResult, source: str) -> ChunkedUpload:
    """The upload that a saga made.

    Raises:
        SagaRollbackRequired: It failed permanently, for this reason, and no chunk remains.
        CompensationError: It failed, and the chunks in `residue` could not be removed.
        SagaStateError: It was paused or stopped.
    """
    if result.success:
        return chunked_upload_of(result)
    message = "; ".join(result.errors) or f"{source} is not uploaded"
    if result.status is SagaStatus.COMPENSATION_FAILED:
        raise CompensationError("upload", message, result.residue)
    if result.status is not SagaStatus.COMPENSATED:
        raise SagaStateError(f"saga {result.saga_id.hex} is unfinished: {message}")
    raise SagaRollbackRequired(
        RollbackReason(result.reason),
        message,
        operation_id=result.saga_id.hex,
        last_error=result.errors[-1],
    )


def require_intact(
    services: IngestionServices, envelope_factory: EnvelopeFactory, upload_id: UUID
) -> IntegrityVerified:
    """Read every chunk of an upload back from the store, and record that all checks agree.

    Raises:
        NotFoundError: The upload does not exist.
        SagaStateError: It is not complete, or was discarded.
        IntegrityMismatchError: A check failed; it is recorded as `IntegrityFailed`.
        StorageBackendError: The store cannot be read, so the result is unknown.
    """
    upload = services.upload_repository.find(upload_id)
    if upload is None:
        raise NotFoundError("upload", upload_id.hex)
    if upload.status not in (UploadStatus.COMPLETED, UploadStatus.VERIFIED, UploadStatus.CORRUPT):
        raise SagaStateError(f"upload {upload_id.hex} is {upload.status.value}: nothing to verify")
    verdict = verify_upload(services, envelope_factory, upload)
    if isinstance(verdict, IntegrityFailed):
        raise IntegrityMismatchError(
            REASON_OF_CHECK[verdict.check], verdict.check, verdict.expected, verdict.actual
        )
    return verdict
