"""The errors a caller can act on: one base class, one class per cause, with the data in fields.

`reason` is what a saga records when the error ends its forward path, and `retryable` says whether
trying the same thing again may help.
"""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.domain.values import EmbedderIdentity, Residue, RollbackReason

__all__ = [
    "AlertRulesError",
    "AmbiguousIdError",
    "ChunkExistsError",
    "ChunkMetadataCorruptError",
    "ChunkMissingError",
    "CompensationError",
    "DataFolderError",
    "DefinitionUnknownError",
    "EmbedderMismatchError",
    "EmbedderUnavailableError",
    "EventCorruptError",
    "EventTypeUnknownError",
    "EventUnstorableError",
    "ExportUnavailableError",
    "IntegrityMismatchError",
    "LeaseHeldError",
    "LeaseLostError",
    "LogDamagedError",
    "NotFoundError",
    "ProjectionNewerError",
    "QueryRefusedError",
    "SagaCancelledError",
    "SagaPausedError",
    "SagaRollbackRequired",
    "SagaStateError",
    "SagaledgerError",
    "SignatureInvalidError",
    "SourceChangedError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "StorageBackendError",
    "StorageFullError",
    "TextDamagedError",
    "VectorInvalidError",
    "VersionConflictError",
    "WorkerStoppedError",
    "in_words",
]


class SagaledgerError(Exception):
    """Base of every error this package raises on purpose."""

    reason: RollbackReason = RollbackReason.STEP_FAILED
    retryable: bool = False


def in_words(error: BaseException) -> str:
    """All that an error says: its message, or else its type, and its notes."""
    notes: list[str] = getattr(error, "__notes__", [])
    return "; ".join([str(error) or type(error).__name__, *notes])


class SourceNotFoundError(SagaledgerError):
    """The source file does not exist (any more)."""

    reason = RollbackReason.FILE_NOT_FOUND

    def __init__(self, path: str) -> None:
        super().__init__(f"source file not found: {path}; check the path and start again")
        self.path = path


class SourceUnreadableError(SagaledgerError):
    """The source exists but cannot be read as a regular file."""

    reason = RollbackReason.FILE_NOT_READABLE

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(f"cannot read source file {path}: {cause}")
        self.path = path
        self.cause = cause


class SourceChangedError(SagaledgerError):
    """The source is not the file that the upload began with."""

    reason = RollbackReason.FILE_CHANGED

    def __init__(self, path: str, difference: str) -> None:
        super().__init__(
            f"source file {path} changed while it was ingested ({difference}); "
            "ingest it again once nothing writes to it"
        )
        self.path = path
        self.difference = difference


class StorageBackendError(SagaledgerError):
    """A store did not do what it was asked; trying again may help."""

    reason = RollbackReason.STORAGE_UNAVAILABLE
    retryable = True

    def __init__(self, store: str, operation: str, cause: str) -> None:
        super().__init__(f"{store} store: {operation} failed: {cause}")
        self.store = store
        self.operation = operation
        self.cause = cause


class StorageFullError(StorageBackendError):
    """A store has no room left; trying again at once does not help."""

    reason = RollbackReason.STORAGE_FULL
    retryable = False


class ChunkExistsError(SagaledgerError):
    """A chunk with this key is stored already, and a chunk is never overwritten."""

    def __init__(self, key: str) -> None:
        super().__init__(f"chunk {key} exists already")
        self.key = key


class ChunkMissingError(SagaledgerError):
    """The chunk store holds no chunk with this key."""

    reason = RollbackReason.CHUNK_MISMATCH

    def __init__(self, key: str) -> None:
        super().__init__(f"chunk {key} is not in the chunk store")
        self.key = key


class ChunkMetadataCorruptError(SagaledgerError):
    """The recorded history of an upload contradicts itself or cannot be read."""

    reason = RollbackReason.METADATA_CORRUPT

    def __init__(self, upload_id: str, detail: str) -> None:
        super().__init__(f"chunk metadata of upload {upload_id} is corrupt: {detail}")
        self.upload_id = upload_id
        self.detail = detail


class IntegrityMismatchError(SagaledgerError):
    """Verification found that what is stored is not what was sent."""

    def __init__(self, reason: RollbackReason, check: str, expected: str, actual: str) -> None:
        super().__init__(f"integrity check '{check}' failed: expected {expected}, found {actual}")
        self.reason = reason
        self.check = check
        self.expected = expected
        self.actual = actual


class SignatureInvalidError(SagaledgerError):
    """A manifest's signature does not belong to its content and key."""

    reason = RollbackReason.HASH_MISMATCH

    def __init__(self, document_id: str, detail: str) -> None:
        super().__init__(f"manifest of document {document_id}: {detail}")
        self.document_id = document_id


class TextDamagedError(SagaledgerError):
    """A document's text cannot be read to its end; its bytes are not in question."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EmbedderMismatchError(SagaledgerError):
    """The vector store holds vectors of another embedder."""

    reason = RollbackReason.EMBEDDER_MISMATCH

    def __init__(self, stored: EmbedderIdentity, given: EmbedderIdentity) -> None:
        super().__init__(
            f"the vector store holds vectors of {stored.name} ({stored.dimension} dimensions), "
            f"not of {given.name} ({given.dimension}); use that embedder or another data folder"
        )
        self.stored = stored
        self.given = given


class VectorInvalidError(SagaledgerError):
    """A vector is none that the store's embedder can have made; the same text gives it again."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"a vector cannot be used: {cause}; check the embedder that made it")
        self.cause = cause


class EmbedderUnavailableError(SagaledgerError):
    """An embedder cannot be used on this machine; the hint says what to do."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(f"embedder {name!r} is not available: {hint}")
        self.name = name
        self.hint = hint


class ExportUnavailableError(SagaledgerError):
    """What writes files of a format is not installed."""

    def __init__(self, form: str, extra: str) -> None:
        super().__init__(f"{form} cannot be written: pip install 'sagaledger[{extra}]'")
        self.form = form
        self.extra = extra


class SagaRollbackRequired(SagaledgerError):  # noqa: N818 - the name users of UDS3 look for
    """A step ends the forward path at once; raise it from a step to say why."""

    def __init__(
        self,
        reason: RollbackReason,
        message: str,
        *,
        operation_id: str = "",
        retry_count: int = 0,
        last_error: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.operation_id = operation_id
        self.retry_count = retry_count
        self.last_error = last_error


class CompensationError(SagaledgerError):
    """An undo could not be carried out as a whole; what is left is in `residue`."""

    def __init__(
        self, step: str, message: str, residue: Sequence[Residue] = (), removed: int = 0
    ) -> None:
        super().__init__(f"compensation of step {step!r} failed: {message}")
        self.step = step
        self.residue = tuple(residue)
        self.removed = removed


class SagaCancelledError(SagaledgerError):
    """Raised at a checkpoint of a step whose saga was cancelled or ran out of time."""

    reason = RollbackReason.CANCELLED

    def __init__(self, message: str, reason: RollbackReason = RollbackReason.CANCELLED) -> None:
        super().__init__(message)
        self.reason = reason


class SagaPausedError(SagaledgerError):
    """Raised at a checkpoint of a step whose saga was paused: stop, undo nothing."""


class WorkerStoppedError(SagaledgerError):
    """Raised at a checkpoint when this worker is shutting down: stop, undo nothing."""


class LeaseHeldError(SagaledgerError):
    """Another worker that is alive drives this saga."""

    def __init__(self, saga_id: str, owner: str, expires_in_s: float) -> None:
        super().__init__(
            f"saga {saga_id} is driven by {owner} (lease ends in {max(expires_in_s, 0):.0f} s "
            "unless renewed)"
        )
        self.saga_id = saga_id
        self.owner = owner
        self.expires_in_s = expires_in_s


class LeaseLostError(SagaledgerError):
    """Another worker took the saga over: this one must stop and write nothing more."""

    def __init__(self, saga_id: str) -> None:
        super().__init__(f"saga {saga_id} was taken over by another worker")
        self.saga_id = saga_id


class VersionConflictError(SagaledgerError):
    """Somebody else appended to the stream first; nothing of this append was stored."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the event stream moved on: {detail}")


class EventUnstorableError(SagaledgerError):
    """An event holds something that is not plain data; nothing of its append was stored."""

    def __init__(self, event: str, cause: str) -> None:
        super().__init__(
            f"{event} cannot be stored: {cause}; parameters and outputs are made of text, numbers, "
            "bytes, booleans, None, and lists and dictionaries of these"
        )
        self.event = event
        self.cause = cause


class EventTypeUnknownError(SagaledgerError):
    """The log holds an event type this version does not know: it was written by a newer one."""

    def __init__(self, type_name: str) -> None:
        super().__init__(
            f"unknown event type {type_name!r}: written by a newer version of sagaledger; upgrade"
        )
        self.type_name = type_name


class ProjectionNewerError(SagaledgerError):
    """The rows of a projection were made by a newer version: this one would misread them."""

    def __init__(self, name: str, found: int, known: int) -> None:
        super().__init__(
            f"projection {name!r} has version {found}, and this program knows {known}: written by "
            "a newer version of sagaledger; upgrade"
        )
        self.name = name
        self.found = found
        self.known = known


class QueryRefusedError(SagaledgerError):
    """A question to the read models is none that they answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the query cannot be answered: {detail}; see docs/projections.md")
        self.detail = detail


class EventCorruptError(SagaledgerError):
    """A stored event cannot be decoded."""

    reason = RollbackReason.METADATA_CORRUPT

    def __init__(self, stream: str, version: int, detail: str) -> None:
        super().__init__(f"event {version} of stream {stream} cannot be decoded: {detail}")
        self.stream = stream
        self.version = version


class LogDamagedError(SagaledgerError):
    """A database file of the data folder is damaged or is not one of ours."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path} is damaged: {detail}; restore it from a backup")
        self.path = path


class DataFolderError(SagaledgerError):
    """The data folder cannot be used: missing permission, wrong version, not a folder."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"data folder {path}: {detail}")
        self.path = path


_LISTED_BY = {
    "document": "sagaledger list",
    "orphan": "sagaledger orphans",
    "alert": "sagaledger alerts",
}


class NotFoundError(SagaledgerError):
    """No saga, document, upload, orphan or alert has this id."""

    def __init__(self, kind: str, given: str) -> None:
        where = _LISTED_BY.get(kind, "sagaledger list --all")
        super().__init__(f"no {kind} with id {given!r}; see `{where}`")
        self.kind = kind
        self.given = given


class AmbiguousIdError(SagaledgerError):
    """A shortened id fits more than one."""

    def __init__(self, given: str, matches: Sequence[str]) -> None:
        super().__init__(f"id {given!r} fits several: {', '.join(matches[:5])}; give more of it")
        self.given = given
        self.matches = tuple(matches)


class AlertRulesError(SagaledgerError):
    """The rules for alerts are not as they have to be."""


class SagaStateError(SagaledgerError):
    """The command makes no sense in the saga's present state."""

    reason = RollbackReason.INVALID_STATE


class DefinitionUnknownError(SagaledgerError):
    """A saga was begun under a definition that this process has not registered."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"saga definition {name!r} version {version} is not registered; "
            "pass it to Ledger.register() before recovering"
        )
        self.name = name
        self.version = version
