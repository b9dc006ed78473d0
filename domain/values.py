"""Value objects: small immutable facts that events, states and ports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID, uuid5

__all__ = [
    "Classification",
    "DocumentOwner",
    "EmbedderIdentity",
    "Parameters",
    "Residue",
    "RollbackReason",
    "SagaStatus",
    "SourceFingerprint",
    "Value",
    "content_id_of",
    "document_id_of",
    "upload_id_of",
    "upload_prefix_of",
]

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"
"""What an event, a saga parameter or a step's output may hold: plain data that any codec knows."""

Parameters: TypeAlias = Mapping[str, Value]


class SagaStatus(StrEnum):
    """Where a saga stands. The last five but `COMPENSATING` are ends, of which
    `COMPENSATION_FAILED` is left again when a sweep retries it, and `FAILED` on request.
    """

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether a worker still has something to do for the saga."""
        return self in (SagaStatus.PENDING, SagaStatus.RUNNING, SagaStatus.COMPENSATING)


class RollbackReason(StrEnum):
    """Why a forward path ended. The text is stored in events: never change one, only add."""

    FILE_NOT_FOUND = "file_not_found"
    FILE_NOT_READABLE = "file_not_readable"
    FILE_CHANGED = "file_changed"
    METADATA_CORRUPT = "metadata_corrupt"
    STORAGE_FULL = "storage_full"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    MAX_RETRIES_EXCEEDED = "max_retries_exceeded"
    CHUNK_MISMATCH = "chunk_mismatch"
    CHUNK_COUNT_MISMATCH = "chunk_count_mismatch"
    SIZE_MISMATCH = "size_mismatch"
    HASH_MISMATCH = "hash_mismatch"
    SOURCE_MISMATCH = "source_mismatch"
    VERIFICATION_IMPOSSIBLE = "verification_impossible"
    EMBEDDER_MISMATCH = "embedder_mismatch"
    STEP_FAILED = "step_failed"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    CANCELLED = "cancelled"
    RECOVERY_EXHAUSTED = "recovery_exhausted"
    INVALID_STATE = "invalid_state"


class Classification(StrEnum):
    """How confidential a document is, from least to most."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"  # noqa: S105 - a classification level, not a password


@dataclass(frozen=True, slots=True)
class SourceFingerprint:
    """What identifies one state of a source file without reading it."""

    size_bytes: int
    modified_ns: int
    inode: int
    device: int

    def difference(self, other: SourceFingerprint) -> str:
        """The fields that differ, as `name expected→actual`, or an empty string."""
        names = ("size_bytes", "modified_ns", "inode", "device")
        return ", ".join(
            f"{name} {getattr(self, name)}→{getattr(other, name)}"
            for name in names
            if getattr(self, name) != getattr(other, name)
        )


@dataclass(frozen=True, slots=True)
class Residue:
    """Something of a saga that a store still holds, or may hold, after an undo."""

    store: str
    """The name of the store, as the step's probe calls it (`chunks`, `vector`, …)."""
    ref: str
    """What an operator can look for in that store: a chunk key, a document id."""
    count: int = 1
    """How many items the reference stands for (rows, nodes, vectors); 0 where it is not known."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DocumentOwner:
    """The document that rows belong to and the saga that made them: the key of every effect."""

    document_id: str
    saga_id: str
    """The saga's id as 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """Which embedder made the vectors of a store: two of them are never mixed."""

    name: str
    dimension: int


def upload_id_of(saga_id: UUID) -> UUID:
    """The one upload of a saga, derivable when neither stream can be read."""
    return uuid5(saga_id, "upload")


def upload_prefix_of(upload_id: UUID) -> str:
    """The key prefix under which every chunk of an upload, and nothing else, is stored."""
    return f"{upload_id.hex}/"


def content_id_of(namespace: str, sha256: bytes) -> str:
    """The content address within a namespace: equal for equal bytes."""
    return f"{namespace}:sha256:{sha256.hex()}"


def document_id_of(namespace: str, sha256: bytes, saga_id: UUID) -> str:
    """A document's id: namespace, content address, and the saga that owns the rows.

    The saga is part of it because two documents may hold the same bytes, and undoing one must
    never touch the other (decision 0003).
    """
    return f"{namespace}-{sha256.hex()[:24]}-{saga_id.hex[:12]}"
