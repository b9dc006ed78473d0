"""Room on the disk that is kept for telling, and undoing, what went wrong on a full one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["RESERVE_BYTES", "BallastFile", "NoBallast"]

RESERVE_BYTES = 16 * 1024 * 1024
_LEFT_BYTES = 4 * 1024 * 1024
"""What must be left beside it for the engines to open their files."""


class BallastFile:
    """A file of real blocks beside the log, given up when the disk is full."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def release(self) -> bool:
        """Give the room free. False if it was free already."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def restore(self) -> None:
        """Take the room again; on a disk without room for it and for work beside it, do without."""
        if self._path.exists():
            return
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < self._size_bytes + _LEFT_BYTES:
                return
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size_bytes)
            finally:
                os.close(descriptor)
            partial.rename(self._path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


class NoBallast:
    """For logs that live in memory."""

    def release(self) -> bool:
        """There is nothing to give free."""
        return False

    def restore(self) -> None:
        """There is nothing to take."""
