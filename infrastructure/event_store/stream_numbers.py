"""Which number a file has given to each stream, as far as this process has seen."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

__all__ = ["StreamNumbers"]

_MOST_STREAMS = 10_000
"""So many are remembered, and then forgotten all at once."""


class StreamNumbers(dict[int, UUID]):
    """The ids of streams by their numbers, looked up once each, and their numbers by id.

    A stream that is in the file for certain keeps its number, so nothing in here can become wrong.
    For several threads.
    """

    def __init__(self, look_up: Callable[[int], UUID]) -> None:
        """Find ids that are not known yet by a function."""
        self._look_up = look_up
        self._numbers: dict[UUID, int] = {}

    def __missing__(self, number: int) -> UUID:
        found = self._look_up(number)
        self.remember(number, found)
        return found

    def number_of(self, stream_id: UUID) -> int | None:
        """The stream's number, or None where it is not known here."""
        return self._numbers.get(stream_id)

    def remember(self, number: int, stream_id: UUID) -> None:
        """Know a stream whose number is committed."""
        if len(self) >= _MOST_STREAMS:
            self.clear()
            self._numbers.clear()
        self[number] = stream_id
        self._numbers[stream_id] = number
