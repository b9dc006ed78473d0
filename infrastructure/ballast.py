"""A ballast file: disk space that is freed to record and undo a failure on a full disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["RESERVE_BYTES", "BallastFile", "NoBallast"]

RESERVE_BYTES = 16 * 1024 * 1024
_LEFT_BYTES = 4 * 1024 * 1024
"""Free space that must remain for the database engines to open their files."""


class BallastFile:
    """A file of allocated blocks next to the log, deleted when the disk is full."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def release(self) -> bool:
        """Delete the ballast file. Returns False if it does not exist."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def restore(self) -> None:
        """Create the ballast file again, unless that would leave too little free space."""
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
    """No ballast, for logs in memory."""

    def release(self) -> bool:
        """Do nothing; returns False."""
        return False

    def restore(self) -> None:
        """Do nothing."""
