"""The status of a saga, the reasons for rollbacks, and residue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Residue", "RollbackReason", "SagaStatus"]


class SagaStatus(StrEnum):
    """The status of a saga. The last five except `COMPENSATING` are final, but a sweep may retry
    `COMPENSATION_FAILED`, and a request may resume `FAILED`.
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
        """Whether a worker still has work on the saga."""
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


@dataclass(frozen=True, slots=True)
class Residue:
    """An item of a saga that a store still holds, or may hold, after an undo."""

    store: str
    """The name of the store, as the step's probe calls it (`chunks`, `vector`, …)."""
    ref: str
    """The reference by which an operator finds it in that store: a chunk key, a document id."""
    count: int = 1
    """The number of items behind the reference (rows, nodes, vectors); 0 if it is unknown."""
    detail: str = ""
