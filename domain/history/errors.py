"""The errors of storing and reading events."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.saga.values import RollbackReason

__all__ = [
    "EventCorruptError",
    "EventSerializationError",
    "EventTypeUnknownError",
    "VersionConflictError",
]


class VersionConflictError(SagaledgerError):
    """Another append to the stream came first; nothing of this append was stored."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the event stream has advanced: {detail}")


class EventSerializationError(SagaledgerError):
    """An event contains a value that is not plain data; nothing of its append was stored."""

    def __init__(self, event: str, cause: str) -> None:
        super().__init__(
            f"{event} cannot be stored: {cause}; parameters and outputs must be text, numbers, "
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


class EventCorruptError(SagaledgerError):
    """A stored event cannot be decoded."""

    reason = RollbackReason.METADATA_CORRUPT

    def __init__(self, stream: str, version: int, detail: str) -> None:
        super().__init__(f"event {version} of stream {stream} cannot be decoded: {detail}")
        self.stream = stream
        self.version = version
