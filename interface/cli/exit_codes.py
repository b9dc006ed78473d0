"""The exit codes of the command. A code never changes its meaning."""

from __future__ import annotations

from enum import IntEnum

from sagaledger.domain.document.errors import (
    EmbedderMismatchError,
    EmbedderUnavailableError,
    SignatureInvalidError,
)
from sagaledger.domain.errors import AmbiguousIdError, NotFoundError, StorageBackendError
from sagaledger.domain.history.errors import EventCorruptError, EventTypeUnknownError
from sagaledger.domain.housekeeping.errors import AlertRulesError, OrphanAdoptedError
from sagaledger.domain.saga.errors import LeaseHeldError, LeaseLostError, SagaStateError
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.errors import (
    ChunkMetadataCorruptError,
    ChunkMissingError,
    IntegrityMismatchError,
    SourceNotFoundError,
    SourceUnreadableError,
)
from sagaledger.infrastructure.errors import DatabaseCorruptError, DataFolderError
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.cli.render.output import OutputUnusableError
from sagaledger.interface.library.errors import AppError
from sagaledger.projections.errors import (
    ExportUnavailableError,
    ProjectionNewerError,
    QueryRefusedError,
)

__all__ = ["ExitCode", "code_of_error", "code_of_result"]


class ExitCode(IntEnum):
    """Exit codes of the `sagaledger` command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    ROLLED_BACK = 4
    ROLLBACK_INCOMPLETE = 5
    DATA_UNUSABLE = 6
    SOURCE_UNUSABLE = 7
    WRONG_STATE = 8
    UNFINISHED = 9
    INTEGRITY = 10
    OUTPUT_UNUSABLE = 11
    NOT_CERTIFIED = 12
    INTERRUPTED = 130


_OF_ERROR: tuple[tuple[type[Exception], ExitCode], ...] = (
    (EmbedderMismatchError, ExitCode.USAGE),
    (EmbedderUnavailableError, ExitCode.USAGE),
    (ExportUnavailableError, ExitCode.USAGE),
    (QueryRefusedError, ExitCode.USAGE),
    (AlertRulesError, ExitCode.USAGE),
    (ConfigurationError, ExitCode.USAGE),
    (AppError, ExitCode.USAGE),
    (NotFoundError, ExitCode.NOT_FOUND),
    (AmbiguousIdError, ExitCode.NOT_FOUND),
    (SourceNotFoundError, ExitCode.SOURCE_UNUSABLE),
    (SourceUnreadableError, ExitCode.SOURCE_UNUSABLE),
    (DataFolderError, ExitCode.DATA_UNUSABLE),
    (DatabaseCorruptError, ExitCode.DATA_UNUSABLE),
    (EventCorruptError, ExitCode.DATA_UNUSABLE),
    (EventTypeUnknownError, ExitCode.DATA_UNUSABLE),
    (ProjectionNewerError, ExitCode.DATA_UNUSABLE),
    (ChunkMetadataCorruptError, ExitCode.DATA_UNUSABLE),
    (StorageBackendError, ExitCode.DATA_UNUSABLE),
    (SagaStateError, ExitCode.WRONG_STATE),
    (OrphanAdoptedError, ExitCode.WRONG_STATE),
    (LeaseHeldError, ExitCode.WRONG_STATE),
    (LeaseLostError, ExitCode.WRONG_STATE),
    (IntegrityMismatchError, ExitCode.INTEGRITY),
    (ChunkMissingError, ExitCode.INTEGRITY),
    (SignatureInvalidError, ExitCode.INTEGRITY),
    (OutputUnusableError, ExitCode.OUTPUT_UNUSABLE),
)


def code_of_error(error: Exception) -> ExitCode:
    """The exit code for an error that ended a command."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), ExitCode.FAILED)


def code_of_result(result: SagaExecutionResult) -> ExitCode:
    """The exit code for a saga that a command drove."""
    match result.status:
        case SagaStatus.COMPLETED:
            return ExitCode.OK
        case SagaStatus.COMPENSATED:
            return ExitCode.ROLLED_BACK
        case SagaStatus.COMPENSATION_FAILED | SagaStatus.FAILED:
            return ExitCode.ROLLBACK_INCOMPLETE
        case SagaStatus.PENDING | SagaStatus.RUNNING | SagaStatus.COMPENSATING:
            return ExitCode.UNFINISHED
