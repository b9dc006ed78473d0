"""Reads and writes that bypass the page cache where the file system can (open(2), O_DIRECT).

A chunk is written once and read back once. A copy in the page cache would cost memory twice, and
the read-back might come from memory instead of the disk. A direct transfer must start and end at
a multiple of the disk's block size, and so must its buffer. All other transfers use the cache.
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
"""A multiple of every disk's block size."""
_WORTH_IT_BYTES = 128 * 1024
"""The cache is faster for smaller transfers."""


class DirectFile:
    """Sequential reads or writes from the start of a file. The caller owns the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_direct = False
        self._may_be_direct = bool(_O_DIRECT)

    def write(self, block: memoryview) -> int:
        """Append bytes. Returns how many were written: at least one, perhaps not all."""
        return self._transfer(block, os.write)

    def readinto(self, buffer: memoryview) -> int:
        """Read the next bytes. Returns how many were read, 0 at the end."""
        return self._transfer(buffer, _read)

    def go_through_cache(self) -> None:
        """Use the cache for all later transfers."""
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
                # The disk's block size is unusual, or the buffer is not aligned.
                if error.errno != errno.EINVAL:
                    raise
            else:
                if done % _ALIGNMENT_BYTES:
                    self.go_through_cache()
                return done
        # After this transfer the file position is no longer a multiple of the block size.
        self.go_through_cache()
        return call(self._descriptor, block)

    def _direct_part(self, size_bytes: int) -> int:
        """How many of these bytes can bypass the cache now."""
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
            # The file system does not support O_DIRECT.
            return False
        return True


class DirectReader(io.FileIO):
    """A binary file for reading. Only large sequential `readinto` calls bypass the cache."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            OSError: the file cannot be opened.
        """
        super().__init__(path, "rb")
        self._file = DirectFile(self.fileno())

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer. Returns how many bytes were read, 0 at the end."""
        if self.closed:
            # Another file may have reused the descriptor's number.
            raise ValueError("I/O operation on closed file")
        return self._file.readinto(memoryview(buffer))

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, through the cache."""
        self._file.go_through_cache()
        return super().read(size)

    def readall(self) -> bytes:
        """Read the rest of the file, through the cache."""
        self._file.go_through_cache()
        return super().readall()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position. Later reads use the cache."""
        self._file.go_through_cache()
        return super().seek(offset, whence)


def _read(descriptor: int, buffer: memoryview) -> int:
    return os.readv(descriptor, [buffer])
