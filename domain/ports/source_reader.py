"""The port of source files."""

from __future__ import annotations

from typing import Protocol

from sagaledger.domain.upload.values import SourceFingerprint

__all__ = ["OpenSource", "SourceReader"]


class OpenSource(Protocol):
    """A source file, open for reading and locked against writers that ask."""

    @property
    def fingerprint(self) -> SourceFingerprint:
        """The state of the file now."""

    @property
    def changed_ns(self) -> int:
        """When the file system last saw it change, in ns of wall time: no program can set this.

        Raises:
            SourceNotFoundError, SourceUnreadableError: it is not there any more.
        """

    def write_back(self) -> bool:
        """Have the system write to the disk what programs have changed of it in memory.

        Returns:
            Whether it did: any later change is a change of `changed_ns` too.
        """

    @property
    def is_locked(self) -> bool:
        """Whether the shared lock was granted (some file systems have none)."""

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset; fewer bytes than its length only at the file's end.

        Raises:
            SourceUnreadableError: the read failed.
        """

    def close(self) -> None:
        """Give up the lock and the file."""


class SourceReader(Protocol):
    """Opens source files, never for writing."""

    def open(self, path: str) -> OpenSource:
        """Open a regular file, with a shared lock where the file system has one.

        Raises:
            SourceNotFoundError: nothing has this path.
            SourceUnreadableError: not a regular file, no permission, or locked by a writer.
        """
