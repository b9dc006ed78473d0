"""The functions of the library: ingest a file in one call, or in separate steps.

All functions except the first use a ledger that the caller has opened.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from sagaledger.application.housekeeping.chunk_cleanup import ChunkRemover
from sagaledger.application.ingestion.chunked_upload import (
    ChunkCleanup,
    ChunkedUpload,
    build_chunked_upload_definition,
)
from sagaledger.application.ingestion.definition import build_ingestion_definition
from sagaledger.application.ingestion.outcome import IngestResult
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.upload_checks import require_intact, require_sent
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.progress import ProgressCallback
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.upload.events import IntegrityVerified
from sagaledger.interface.library.actor import actor
from sagaledger.interface.library.ledger import Ledger
from sagaledger.interface.library.opening import open_ledger

__all__ = [
    "build_streaming_upload_saga_definition",
    "chunked_upload_with_retry",
    "cleanup_chunks_with_verification",
    "create_document_streaming",
    "execute_streaming_saga_with_rollback",
    "perform_compensation",
    "verify_integrity",
]


def create_document_streaming(
    path: str | Path,
    *,
    data: str | Path | None = None,
    config: StreamingSagaConfig | None = None,
    progress: ProgressCallback | None = None,
) -> IngestResult:
    """Ingest one file, all or nothing, after recovering the open sagas of earlier runs.

    Args:
        path: the file; it is only read.
        data: the data folder, created if it is new; see `open_ledger` for the default.
        config: limits, delays, classification; the defaults suit most files.
        progress: called on its own thread; it can neither fail nor delay the work.

    Raises:
        SourceNotFoundError: The file does not exist.
        SourceUnreadableError: The file cannot be read as a regular file.
        DataFolderError: The data folder cannot be used.
        StorageBackendError: The event log cannot be written; a recovery continues the saga.
    """
    with open_ledger(data, config) as ledger:
        ledger.recover()
        return ledger.ingest(path, progress=progress)


def build_streaming_upload_saga_definition(
    ledger: Ledger, config: StreamingSagaConfig | None = None
) -> SagaDefinition:
    """The nine steps of an ingestion, with the retries of a configuration."""
    stores = ledger.services.downstream_names
    parameters = IngestionParameters.from_config("", config or ledger.config, stores)
    return build_ingestion_definition(ledger.services, parameters.to_stored())


def execute_streaming_saga_with_rollback(
    ledger: Ledger,
    path: str | Path,
    config: StreamingSagaConfig | None = None,
    *,
    saga_id: UUID | None = None,
    progress: ProgressCallback | None = None,
) -> SagaExecutionResult:
    """Run the nine steps for a file, and undo all of them if one fails.

    Unlike `create_document_streaming`, it recovers nothing first, always makes a new document, and
    reports a missing file in the result.

    Raises:
        VersionConflictError: A saga with this id exists.
        StorageBackendError: The event log cannot be written; a recovery continues the saga.
    """
    return ledger.stream(path, config, saga_id=saga_id, progress=progress)


def perform_compensation(ledger: Ledger, saga_id: UUID) -> SagaExecutionResult:
    """Roll an open saga back, or retry a rollback that left residue.

    Raises:
        NotFoundError: The saga does not exist.
        SagaStateError: Its commit is decided, or it has ended without residue.
        OrphanAdoptedError: The rollback would remove an adopted orphan.
        DefinitionUnknownError: Its definition is not registered.
        LeaseHeldError: A living worker drives it; that worker sees the request and rolls it back.
    """
    return ledger.requests.roll_back(saga_id, actor(), "compensation asked for")


def chunked_upload_with_retry(
    ledger: Ledger,
    path: str | Path,
    config: StreamingSagaConfig | None = None,
    *,
    progress: ProgressCallback | None = None,
) -> ChunkedUpload:
    """Make every chunk of a file durable, with the attempts that the configuration allows.

    No document is made: check the chunks with `verify_integrity`, and discard them with
    `cleanup_chunks_with_verification`.

    Raises:
        SagaRollbackRequired: It failed permanently, for this reason, and no chunk remains.
        CompensationError: It failed, and the chunks in `residue` could not be removed; they are
            on the orphan list, and a sweep tries again.
        StorageBackendError: The event log cannot be written; a recovery continues the saga.
        SagaStateError: It was paused or stopped; a recovery or `resume` continues it.
    """
    result = ledger.stream(path, config, build=build_chunked_upload_definition, progress=progress)
    return require_sent(result, str(path))


def verify_integrity(ledger: Ledger, upload_id: UUID) -> IntegrityVerified:
    """Read every chunk of an upload back from the store, and record that all checks agree.

    Raises:
        NotFoundError: The upload does not exist.
        SagaStateError: It is not complete, or was discarded.
        IntegrityMismatchError: A check failed; it is recorded as `IntegrityFailed`.
        StorageBackendError: The store cannot be read, so the result is unknown.
    """
    return require_intact(ledger.services, ledger.envelope_factory, upload_id)


def cleanup_chunks_with_verification(ledger: Ledger, upload_id: UUID) -> ChunkCleanup:
    """Remove the chunks of an upload that no document needs, and list what the store still holds.

    Raises:
        NotFoundError: The upload does not exist.
        SagaStateError: Its saga is running, or a document owns the chunks.
        OrphanAdoptedError: An orphan of its saga is adopted.
        StorageBackendError: The store cannot list the chunks.
    """
    remover = ChunkRemover(ledger.services, ledger.adoptions, ledger.drive, ledger.run)
    return remover.remove(upload_id)
