"""All-or-nothing ingestion of large files, with an event history that proves it.

`create_document_streaming` ingests one file. `open_ledger` gives access to everything else: your
own sagas, recovery, deletion, sweeps, search. The other names are their argument and result types.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagaledger.application.engine.recovery import RecoveryReport
    from sagaledger.application.housekeeping.sweep import SweepReport
    from sagaledger.application.ingestion.chunked_upload import ChunkCleanup, ChunkedUpload
    from sagaledger.application.ingestion.outcome import IngestResult
    from sagaledger.domain.config import StreamingSagaConfig
    from sagaledger.domain.document.saga_summary import SagaSummary
    from sagaledger.domain.document.values import Classification
    from sagaledger.domain.errors import SagaledgerError, StorageBackendError
    from sagaledger.domain.history.envelope import RecordedEvent
    from sagaledger.domain.history.facts import FactRecorded
    from sagaledger.domain.ports.event_observer import StoredEvents
    from sagaledger.domain.saga.definition import SagaDefinition, SagaStep, StepContext
    from sagaledger.domain.saga.errors import CompensationError, SagaRollbackRequired
    from sagaledger.domain.saga.result import SagaExecutionResult
    from sagaledger.domain.saga.retry import RetryPolicy
    from sagaledger.domain.saga.values import Residue, RollbackReason, SagaStatus
    from sagaledger.domain.upload.errors import (
        ChunkMetadataCorruptError,
        IntegrityMismatchError,
        SourceNotFoundError,
        SourceUnreadableError,
    )
    from sagaledger.interface.library.functions import (
        build_streaming_upload_saga_definition,
        chunked_upload_with_retry,
        cleanup_chunks_with_verification,
        create_document_streaming,
        execute_streaming_saga_with_rollback,
        perform_compensation,
        verify_integrity,
    )
    from sagaledger.interface.library.ledger import Ledger
    from sagaledger.interface.library.monitor import StreamingSagaMonitor
    from sagaledger.interface.library.opening import open_ledger
    from sagaledger.interface.library.structured_logs import JsonLogFormatter
    from sagaledger.projections import Alert, RollbackFigures

__version__ = "0.1.0"

# The module of each public name. Names are imported on first use, because the engines behind some
# of them take longer to import than a small command takes to run.
_HOMES = {
    "Alert": "sagaledger.projections",
    "ChunkCleanup": "sagaledger.application.ingestion.chunked_upload",
    "ChunkMetadataCorruptError": "sagaledger.domain.upload.errors",
    "ChunkedUpload": "sagaledger.application.ingestion.chunked_upload",
    "Classification": "sagaledger.domain.document.values",
    "CompensationError": "sagaledger.domain.saga.errors",
    "FactRecorded": "sagaledger.domain.history.facts",
    "IngestResult": "sagaledger.application.ingestion.outcome",
    "IntegrityMismatchError": "sagaledger.domain.upload.errors",
    "JsonLogFormatter": "sagaledger.interface.library.structured_logs",
    "Ledger": "sagaledger.interface.library.ledger",
    "RecordedEvent": "sagaledger.domain.history.envelope",
    "RecoveryReport": "sagaledger.application.engine.recovery",
    "Residue": "sagaledger.domain.saga.values",
    "RetryPolicy": "sagaledger.domain.saga.retry",
    "RollbackFigures": "sagaledger.projections",
    "RollbackReason": "sagaledger.domain.saga.values",
    "SagaDefinition": "sagaledger.domain.saga.definition",
    "SagaExecutionResult": "sagaledger.domain.saga.result",
    "SagaRollbackRequired": "sagaledger.domain.saga.errors",
    "SagaStatus": "sagaledger.domain.saga.values",
    "SagaStep": "sagaledger.domain.saga.definition",
    "SagaSummary": "sagaledger.domain.document.saga_summary",
    "SagaledgerError": "sagaledger.domain.errors",
    "SourceNotFoundError": "sagaledger.domain.upload.errors",
    "SourceUnreadableError": "sagaledger.domain.upload.errors",
    "StepContext": "sagaledger.domain.saga.definition",
    "StorageBackendError": "sagaledger.domain.errors",
    "StoredEvents": "sagaledger.domain.ports.event_observer",
    "StreamingSagaConfig": "sagaledger.domain.config",
    "StreamingSagaMonitor": "sagaledger.interface.library.monitor",
    "SweepReport": "sagaledger.application.housekeeping.sweep",
    "build_streaming_upload_saga_definition": "sagaledger.interface.library.functions",
    "chunked_upload_with_retry": "sagaledger.interface.library.functions",
    "cleanup_chunks_with_verification": "sagaledger.interface.library.functions",
    "create_document_streaming": "sagaledger.interface.library.functions",
    "execute_streaming_saga_with_rollback": "sagaledger.interface.library.functions",
    "open_ledger": "sagaledger.interface.library.opening",
    "perform_compensation": "sagaledger.interface.library.functions",
    "verify_integrity": "sagaledger.interface.library.functions",
}

__all__ = [
    "Alert",
    "ChunkCleanup",
    "ChunkMetadataCorruptError",
    "ChunkedUpload",
    "Classification",
    "CompensationError",
    "FactRecorded",
    "IngestResult",
    "IntegrityMismatchError",
    "JsonLogFormatter",
    "Ledger",
    "RecordedEvent",
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
    "StoredEvents",
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


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
