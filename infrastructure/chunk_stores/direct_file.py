"""Reads and writes that go past the page cache, where the file system can (open(2), O_DIRECT).

A chunk is written once and read back once: a copy of it in the page cache costs two copies in
memory, and makes the reading back less real. Such transfers have to begin and end at a multiple of
the disk's block and need a buffer that does too; whatever does not fit goes through the cache.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["DirectFile", "DirectReader"]

_O_DIRECT = getattr(os, "O_DIRECT", 0)
_ALIGNMENT_BYTES = 4096
"""No disk in use has larger blocks."""
_WORTH_IT_BYTES = 128 * 1024
"""For less, the cache is quicker."""


class DirectFile:
    """A file that is read or written from its beginning on, by a descriptor that is not its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_direct = False
        self._may_be_direct = bool(_O_DIRECT)

    def write(self, block: memoryview) -> int:
        """Append bytes. Returns how many were taken: at least one, perhaps not all."""
        return self._transfer(block, os.write)

    def readinto(self, buffer: memoryview) -> int:
        """Take the next bytes. Returns how many there were, 0 at the end."""
        return self._transfer(buffer, _read)

    def go_through_cache(self) -> None:
        """Whatever comes next goes through the cache."""
        self._may_be_direct = False
        if self._is_direct:
            self._is_direct = False
            self._set_direct(False)

    def _transfer(self, block: memoryview, call: Callable[[int, memoryview], int]) -> int:
        direct_bytes = self._direct_part(len(block))
        if direct_bytes:
            try:
                done = call(self._descriptor, block[:direct_bytes])
            except OSError as error:
                # The disk's blocks or the buffer are not as they are nearly everywhere.
                if error.errno != errno.EINVAL:
                    raise
            else:
                if done % _ALIGNMENT_BYTES:
                    self.go_through_cache()
                return done
        # From here on the position in the file fits no block any more.
        self.go_through_cache()
        return call(self._descriptor, block)

    def _direct_part(self, size_bytes: int) -> int:
        """How many of so many bytes can go past the cache now."""
        if not self._may_be_direct or size_bytes < _WORTH_IT_BYTES:
            return 0
        if not self._is_direct:
            self._is_direct = self._may_be_direct = self._set_direct(True)
        return size_bytes - size_bytes % _ALIGNMENT_BYTES if self._is_direct else 0

    def _set_direct(self, is_direct: bool) -> bool:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        wanted = flags | _O_DIRECT if is_direct else flags & ~_O_DIRECT
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, wanted)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # A file system without it says so.
            return False
        return True


class DirectReader(io.FileIO):
    """A binary file for reading. Only `readinto` goes past the cache, in large pieces from the
    beginning on.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: it cannot be opened.
        """
        super().__init__(path, "rb")
        self._file = DirectFile(self.fileno())

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer. Returns how many bytes there were, 0 at the end."""
        if self.closed:
            # The descriptor's number may be another file's by now.
            raise ValueError("I/O operation on closed file")
        return self._file.readinto(memoryview(buffer))

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, of any number."""
        self._file.go_through_cache()
        return super().read(size)

    def readall(self) -> bytes:
        """All that is left."""
        self._file.go_through_cache()
        return super().readall()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go elsewhere in the file."""
        self._file.go_through_cache()
        return super().seek(offset, whence)


def _read(descriptor: int, buffer: memoryview) -> int:
    return os.readv(descriptor, [buffer])
