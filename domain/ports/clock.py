"""The port of time."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Time, passed in so that tests can own it."""

    def now_us(self) -> int:
        """Wall time in microseconds since the epoch, for people and for delays across restarts."""

    def monotonic_s(self) -> float:
        """Seconds that never go back, for deadlines within a process."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
