"""The port of time."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """The time source, passed in so that tests can control it."""

    def now_us(self) -> int:
        """Wall time in microseconds since the epoch, for display and for delays across restarts."""

    def monotonic_s(self) -> float:
        """Monotonic time in seconds, for deadlines within a process."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
