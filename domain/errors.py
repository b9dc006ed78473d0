"""The base of all errors, and the errors that every layer raises.

A saga records `reason` when the error ends its forward path. `retryable` says whether another
attempt may succeed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.domain.saga.values import RollbackReason

__all__ = [
    "AmbiguousIdError",
    "NotFoundError",
    "SagaledgerError",
    "StorageBackendError",
    "StorageFullError",
    "describe",
]


class SagaledgerError(Exception):
    """The base class of all errors of this package."""

    reason: RollbackReason = RollbackReason.STEP_FAILED
    retryable: bool = False


def describe(error: BaseException) -> str:
    """The text of an error: its message, or otherwise its type, and its notes."""
    notes: list[str] = getattr(error, "__notes__", [])
    return "; ".join([str(error) or type(error).__name__, *notes])


class StorageBackendError(SagaledgerError):
    """A store failed. Another attempt may succeed."""

    reason = RollbackReason.STORAGE_UNAVAILABLE
    retryable = True

    def __init__(self, store: str, operation: str, cause: str) -> None:
        super().__init__(f"{store} store: {operation} failed: {cause}")
        self.store = store
        self.operation = operation
        self.cause = cause


class StorageFullError(StorageBackendError):
    """A store is full. An immediate retry does not help."""

    reason = RollbackReason.STORAGE_FULL
    retryable = False


class NotFoundError(SagaledgerError):
    """No saga, document, upload, orphan or alert has this id."""

    def __init__(self, kind: str, given: str) -> None:
        super().__init__(f"no {kind} with id {given!r}")
        self.kind = kind
        self.given = given


class AmbiguousIdError(SagaledgerError):
    """An abbreviated id matches more than one."""

    def __init__(self, given: str, matches: Sequence[str]) -> None:
        super().__init__(f"id {given!r} fits several: {', '.join(matches[:5])}; give more of it")
        self.given = given
        self.matches = tuple(matches)
