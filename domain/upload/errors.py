"""The errors of reading a source and of storing and verifying its chunks."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import RollbackReason

__all__ = [
    "ChunkExistsError",
    "ChunkMetadataCorruptError",
    "ChunkMissingError",
    "IntegrityMismatchError",
    "SourceChangedError",
    "SourceNotFoundError",
    "SourceUnreadableError",
]


class SourceNotFoundError(SagaledgerError):
    """The source file does not exist, or does not exist any more."""

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
    """The source has changed since the upload started."""

    reason = RollbackReason.FILE_CHANGED

    def __init__(self, path: str, difference: str) -> None:
        super().__init__(
            f"source file {path} changed while it was ingested ({difference}); "
            "ingest it again once nothing writes to it"
        )
        self.path = path
        self.difference = difference


class ChunkExistsError(SagaledgerError):
    """A chunk with this key exists already. Chunks are never overwritten."""

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
    """The recorded history of an upload is inconsistent or cannot be read."""

    reason = RollbackReason.METADATA_CORRUPT

    def __init__(self, upload_id: str, detail: str) -> None:
        super().__init__(f"chunk metadata of upload {upload_id} is corrupt: {detail}")
        self.upload_id = upload_id
        self.detail = detail


class IntegrityMismatchError(SagaledgerError):
    """The verification found a difference between the stored chunks and the sent file."""

    def __init__(self, reason: RollbackReason, check: str, expected: str, actual: str) -> None:
        super().__init__(f"integrity check '{check}' failed: expected {expected}, found {actual}")
        self.reason = reason
        self.check = check
        self.expected = expected
        self.actual = actual
