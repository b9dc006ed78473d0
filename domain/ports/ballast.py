"""The port of the ballast file."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Ballast"]


class Ballast(Protocol):
    """Disk space next to the log, reserved for the events of a rollback."""

    def release(self) -> bool:
        """Free the reserved space. Returns False if it is free already."""

    def restore(self) -> None:
        """Reserve the space again, if enough is free."""
