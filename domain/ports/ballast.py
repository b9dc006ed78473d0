"""The port of disk space kept for a rollback's events."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Ballast"]


class Ballast(Protocol):
    """Room on the log's disk that is kept for the events of a rollback."""

    def release(self) -> bool:
        """Give the room free. False if it was free already."""

    def restore(self) -> None:
        """Take the room again, if there is enough."""
