"""Per-saga caches of this process. After a crash their content is computed again."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

__all__ = ["SagaCache"]

T = TypeVar("T")


class SagaCache(Generic[T]):
    """One value per saga. Thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[UUID, T] = {}
        self._lock = Lock()

    def put(self, saga_id: UUID, kept: T) -> None:
        """Store the value of a saga."""
        with self._lock:
            self._kept[saga_id] = kept

    def get(self, saga_id: UUID) -> T | None:
        """The value of a saga."""
        with self._lock:
            return self._kept.get(saga_id)

    def take(self, saga_id: UUID) -> T | None:
        """Remove and return the value of a saga."""
        with self._lock:
            return self._kept.pop(saga_id, None)

    def discard(self, saga_id: UUID) -> None:
        """Remove the value of a saga. Idempotent."""
        self.take(saga_id)
