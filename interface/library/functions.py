"""The functions of the library: one file in one call, and each part of that on its own.

All but the first work on a ledger that the caller has opened.
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
    """Bring one file in as a whole, or not at all, after recovering what an earlier run left open.

    Args:
        path: the file; it is only read.
        data: the data folder, made where it is new; see `open_ledger` for the default.
        config: limits, delays, classification; the defaults suit most files.
        progress: called on a thread of its own; whatever it does changes nothing.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceUnreadableError: it cannot be read as a regular file.
        DataFolderError: the data folder cannot be used.
        StorageBackendError: the event log cannot be written; a recovery goes on from there.
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

    Unlike `create_document_streaming` it recovers nothing first, makes a new document whatever
    exists, and tells a missing file in the result.

    Raises:
        VersionConflictError: a saga with this id exists.
        StorageBackendError: the event log cannot be written; a recovery goes on from there.
    """
    return ledger.stream(path, config, saga_id=saga_id, progress=progress)


def perform_compensation(ledger: Ledger, saga_id: UUID) -> SagaExecutionResult:
    """Roll an open saga back, or take a rollback that left something up again.

    Raises:
        NotFoundError: there is no such saga.
        SagaStateError: its commit is decided, or it has ended with nothing left to undo.
        OrphanAdoptedError: somebody has adopted what a rollback would remove.
        DefinitionUnknownError: it began under a definition that is not registered.
        LeaseHeldError: a living worker drives it; that one sees the request and rolls it back.
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

    No document is made: check the chunks with `verify_integrity`, and give them up with
    `cleanup_chunks_with_verification`.

    Raises:
        SagaRollbackRequired: it failed for good, for this reason, and no chunk is left.
        CompensationError: it failed, and the chunks in `residue` could not be removed; they are
            on the orphan list, and a sweep tries again.
        StorageBackendError: the event log cannot be written; a recovery goes on from there.
        SagaStateError: it was paused or stopped; a recovery or `resume` goes on from there.
    """
    result = ledger.stream(path, config, build=build_chunked_upload_definition, progress=progress)
    return require_sent(result, str(path))


def verify_integrity(ledger: Ledger, upload_id: UUID) -> IntegrityVerified:
    """Read every chunk of an upload back from the store, and record that all checks agree.

    Raises:
        NotFoundError: there is no such upload.
        SagaStateError: it is not complete, or was given up.
        IntegrityMismatchError: a check does not hold; it is recorded as `IntegrityFailed`.
        StorageBackendError: the store cannot be read, so nothing is known.
    """
    return require_intact(ledger.services, ledger.envelope_factory, upload_id)


def cleanup_chunks_with_verification(ledger: Ledger, upload_id: UUID) -> ChunkCleanup:
    """Remove the chunks of an upload that no document needs, and ask the store what is left.

    Raises:
        NotFoundError: there is no such upload.
        SagaStateError: its saga is at work, or a document owns the chunks.
        OrphanAdoptedError: somebody has adopted what its saga has left.
        StorageBackendError: the store cannot even list the chunks.
    """
    remover = ChunkRemover(ledger.services, ledger.adoptions, ledger.drive, ledger.run)
    return remover.remove(upload_id)
