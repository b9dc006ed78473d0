"""All-or-nothing ingestion of large files, with an event history that proves it.

`create_document_streaming` brings one file in. `open_ledger` gives everything else: sagas of your
own, recovery, deletion, sweeping, search. The other names say what goes in and what comes out.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagaledger.domain.config import StreamingSagaConfig
    from sagaledger.domain.definition import SagaDefinition, SagaStep, StepContext
    from sagaledger.domain.errors import (
        ChunkMetadataCorruptError,
        CompensationError,
        SagaledgerError,
        SagaRollbackRequired,
        StorageBackendError,
    )
    from sagaledger.domain.result import SagaExecutionResult
    from sagaledger.domain.retry import RetryPolicy
    from sagaledger.domain.values import Classification, Residue, RollbackReason, SagaStatus
    from sagaledger.interface.ledger import IngestResult, Ledger, open_ledger
    from sagaledger.interface.library import create_document_streaming

__version__ = "0.1.0"

# Where each public name lives. They are imported on first use, for the engines behind some of them
# take longer to import than a small command takes to run.
_HOMES = {
    "ChunkMetadataCorruptError": "sagaledger.domain.errors",
    "Classification": "sagaledger.domain.values",
    "CompensationError": "sagaledger.domain.errors",
    "IngestResult": "sagaledger.interface.ledger",
    "Ledger": "sagaledger.interface.ledger",
    "Residue": "sagaledger.domain.values",
    "RetryPolicy": "sagaledger.domain.retry",
    "RollbackReason": "sagaledger.domain.values",
    "SagaDefinition": "sagaledger.domain.definition",
    "SagaExecutionResult": "sagaledger.domain.result",
    "SagaRollbackRequired": "sagaledger.domain.errors",
    "SagaStatus": "sagaledger.domain.values",
    "SagaStep": "sagaledger.domain.definition",
    "SagaledgerError": "sagaledger.domain.errors",
    "StepContext": "sagaledger.domain.definition",
    "StorageBackendError": "sagaledger.domain.errors",
    "StreamingSagaConfig": "sagaledger.domain.config",
    "create_document_streaming": "sagaledger.interface.library",
    "open_ledger": "sagaledger.interface.ledger",
}

__all__ = [
    "ChunkMetadataCorruptError",
    "Classification",
    "CompensationError",
    "IngestResult",
    "Ledger",
    "Residue",
    "RetryPolicy",
    "RollbackReason",
    "SagaDefinition",
    "SagaExecutionResult",
    "SagaRollbackRequired",
    "SagaStatus",
    "SagaStep",
    "SagaledgerError",
    "StepContext",
    "StorageBackendError",
    "StreamingSagaConfig",
    "create_document_streaming",
    "open_ledger",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sagaledger' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
