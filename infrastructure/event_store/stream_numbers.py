"""A cache of the numbers that a file has given to streams."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

__all__ = ["StreamNumbers"]

_MOST_STREAMS = 10_000
"""The maximum size of the cache; a full cache is cleared."""


class StreamNumbers(dict[int, UUID]):
    """The ids of streams by number, each looked up once, and their numbers by id.

    A committed stream keeps its number, so no entry can become wrong. Thread-safe.
    """

    def __init__(self, look_up: Callable[[int], UUID]) -> None:
        """Look up unknown ids by a function."""
        self._look_up = look_up
        self._numbers: dict[UUID, int] = {}

    def __missing__(self, number: int) -> UUID:
        found = self._look_up(number)
        self.remember(number, found)
        return found

    def number_of(self, stream_id: UUID) -> int | None:
        """The stream's number, or None if it is not in the cache."""
        return self._numbers.get(stream_id)

    def remember(self, number: int, stream_id: UUID) -> None:
        """Add a stream whose number is committed."""
        if len(self) >= _MOST_STREAMS:
            self.clear()
            self._numbers.clear()
        self[number] = stream_id
        self._numbers[stream_id] = number
