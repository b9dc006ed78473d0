"""A file that keeps its I/O errors when a library hides them."""

from __future__ import annotations

import errno
import os
from typing import BinaryIO

__all__ = ["FailureKeepingFile"]


class FailureKeepingFile:
    """A file for libraries that report an I/O error as damage, or print and drop it.

    The object keeps the file's first error; `raise_failure` raises it unchanged after the library
    has returned. `readinto` never raises, because an exception cannot pass through C code.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._position = 0
        self._failure: BaseException | None = None

    def raise_failure(self) -> None:
        """Raise the file's first error, if there was one."""
        if self._failure is not None:
            raise self._failure

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position. The next read moves the file itself."""
        start = (0, self._position, self._size)[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or fewer at the end; without a size, read the rest.

        Raises:
            Exception: the file's error, which is kept as well.
        """
        wanted = max(self._size - self._position, 0)
        if size >= 0:
            wanted = min(wanted, size)
        try:
            data = self._read_whole(wanted)
        except BaseException as error:
            self._failure = self._failure or error
            raise
        self._position += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer. Returns the number of bytes read, 0 after an error."""
        if self._failure is not None:
            return 0
        try:
            data = self.read(len(buffer))
        except BaseException:  # noqa: BLE001 - read() has kept it for raise_failure()
            return 0
        buffer[: len(data)] = data
        return len(data)

    def _read_whole(self, wanted: int) -> bytes:
        self._file.seek(self._position)
        data = self._file.read(wanted)
        if len(data) == wanted:
            return data
        pieces = [data]
        missing = wanted - len(data)
        while missing > 0 and (piece := self._file.read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
