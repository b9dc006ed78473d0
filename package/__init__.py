"""All-or-nothing ingestion of large files, with an event history that proves it.

`create_document_streaming` brings one file in. `open_ledger` gives everything else: sagas of your
own, recovery, deletion, sweeping, search. The other names say what goes in and what comes out.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagaledger.application.chunked_upload import ChunkCleanup, ChunkedUpload
    from sagaledger.application.recovery import RecoveryReport
    from sagaledger.application.sweep import SweepReport
    from sagaledger.domain.config import StreamingSagaConfig
    from sagaledger.domain.definition import SagaDefinition, SagaStep, StepContext
    from sagaledger.domain.errors import (
        ChunkMetadataCorruptError,
        CompensationError,
        IntegrityMismatchError,
        SagaledgerError,
        SagaRollbackRequired,
        SourceNotFoundError,
        SourceUnreadableError,
        StorageBackendError,
    )
    from sagaledger.domain.ports import SagaSummary
    from sagaledger.domain.result import SagaExecutionResult
    from sagaledger.domain.retry import RetryPolicy
    from sagaledger.domain.values import Classification, Residue, RollbackReason, SagaStatus
    from sagaledger.interface.ledger import IngestResult, Ledger, open_ledger
    from sagaledger.interface.library import (
        build_streaming_upload_saga_definition,
        chunked_upload_with_retry,
        cleanup_chunks_with_verification,
        create_document_streaming,
        execute_streaming_saga_with_rollback,
        perform_compensation,
        verify_integrity,
    )
    from sagaledger.interface.monitor import StreamingSagaMonitor
    from sagaledger.interface.structured_logs import JsonLogFormatter
    from sagaledger.projections import Alert, RollbackFigures

__version__ = "0.1.0"

# Where each public name lives. They are imported on first use, for the engines behind some of them
# take longer to import than a small command takes to run.
_HOMES = {
    "Alert": "sagaledger.projections",
    "ChunkCleanup": "sagaledger.application.chunked_upload",
    "ChunkMetadataCorruptError": "sagaledger.domain.errors",
    "ChunkedUpload": "sagaledger.application.chunked_upload",
    "Classification": "sagaledger.domain.values",
    "CompensationError": "sagaledger.domain.errors",
    "IngestResult": "sagaledger.interface.ledger",
    "IntegrityMismatchError": "sagaledger.domain.errors",
    "JsonLogFormatter": "sagaledger.interface.structured_logs",
    "Ledger": "sagaledger.interface.ledger",
    "RecoveryReport": "sagaledger.application.recovery",
    "Residue": "sagaledger.domain.values",
    "RetryPolicy": "sagaledger.domain.retry",
    "RollbackFigures": "sagaledger.projections",
    "RollbackReason": "sagaledger.domain.values",
    "SagaDefinition": "sagaledger.domain.definition",
    "SagaExecutionResult": "sagaledger.domain.result",
    "SagaRollbackRequired": "sagaledger.domain.errors",
    "SagaStatus": "sagaledger.domain.values",
    "SagaStep": "sagaledger.domain.definition",
    "SagaSummary": "sagaledger.domain.ports",
    "SagaledgerError": "sagaledger.domain.errors",
    "SourceNotFoundError": "sagaledger.domain.errors",
    "SourceUnreadableError": "sagaledger.domain.errors",
    "StepContext": "sagaledger.domain.definition",
    "StorageBackendError": "sagaledger.domain.errors",
    "StreamingSagaConfig": "sagaledger.domain.config",
    "StreamingSagaMonitor": "sagaledger.interface.monitor",
    "SweepReport": "sagaledger.application.sweep",
    "build_streaming_upload_saga_definition": "sagaledger.interface.library",
    "chunked_upload_with_retry": "sagaledger.interface.library",
    "cleanup_chunks_with_verification": "sagaledger.interface.library",
    "create_document_streaming": "sagaledger.interface.library",
    "execute_streaming_saga_with_rollback": "sagaledger.interface.library",
    "open_ledger": "sagaledger.interface.ledger",
    "perform_compensation": "sagaledger.interface.library",
    "verify_integrity": "sagaledger.interface.library",
}

__all__ = [
    "Alert",
    "ChunkCleanup",
    "ChunkMetadataCorruptError",
    "ChunkedUpload",
    "Classification",
    "CompensationError",
    "IngestResult",
    "IntegrityMismatchError",
    "JsonLogFormatter",
    "Ledger",
    "RecoveryReport",
    "Residue",
    "RetryPolicy",
    "RollbackFigures",
    "RollbackReason",
    "SagaDefinition",
    "SagaExecutionResult",
    "SagaRollbackRequired",
    "SagaStatus",
    "SagaStep",
    "SagaSummary",
    "SagaledgerError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "StepContext",
    "StorageBackendError",
    "StreamingSagaConfig",
    "StreamingSagaMonitor",
    "SweepReport",
    "build_streaming_upload_saga_definition",
    "chunked_upload_with_retry",
    "cleanup_chunks_with_verification",
    "create_document_streaming",
    "execute_streaming_saga_with_rollback",
    "open_ledger",
    "perform_compensation",
    "verify_integrity",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sagaledger' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
