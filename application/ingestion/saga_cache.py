"""What a process keeps of the sagas at work in it; after a crash it is found out anew."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

__all__ = ["SagaCache"]

T = TypeVar("T")


class SagaCache(Generic[T]):
    """One thing per saga, for any number of threads."""

    def __init__(self) -> None:
        self._kept: dict[UUID, T] = {}
        self._lock = Lock()

    def put(self, saga_id: UUID, kept: T) -> None:
        """Keep it for the saga."""
        with self._lock:
            self._kept[saga_id] = kept

    def get(self, saga_id: UUID) -> T | None:
        """What is kept for the saga."""
        with self._lock:
            return self._kept.get(saga_id)

    def take(self, saga_id: UUID) -> T | None:
        """What was kept for the saga; it is not kept any longer."""
        with self._lock:
            return self._kept.pop(saga_id, None)

    def discard(self, saga_id: UUID) -> None:
        """Forget it. Idempotent."""
        self.take(saga_id)
