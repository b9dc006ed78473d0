"""The port of source files."""

from __future__ import annotations

from typing import Protocol

from sagaledger.domain.upload.values import SourceFingerprint

__all__ = ["OpenSource", "SourceReader"]


class OpenSource(Protocol):
    """A source file, open for reading, with a lock that cooperative writers respect."""

    @property
    def fingerprint(self) -> SourceFingerprint:
        """The current state of the file."""

    @property
    def changed_ns(self) -> int:
        """The time of the file's last change, in ns of wall time. Programs cannot set it.

        Raises:
            SourceNotFoundError, SourceUnreadableError: the file does not exist any more.
        """

    def write_back(self) -> bool:
        """Write the file's dirty pages to the disk.

        Returns:
            Whether it succeeded. If so, any later change also alters `changed_ns`.
        """

    @property
    def is_locked(self) -> bool:
        """Whether the shared lock was granted (some file systems do not support locks)."""

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; fewer bytes than its length only at the file's end.

        Raises:
            SourceUnreadableError: the read failed.
        """

    def close(self) -> None:
        """Release the lock and close the file."""


class SourceReader(Protocol):
    """Opens source files, never for writing."""

    def open(self, path: str) -> OpenSource:
        """Open a regular file, with a shared lock if the file system supports locks.

        Raises:
            SourceNotFoundError: the path does not exist.
            SourceUnreadableError: not a regular file, no permission, or locked by a writer.
        """
