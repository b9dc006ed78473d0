"""Source files on the local disk: regular files, opened read-only, under a shared lock."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

from sagaledger.domain.upload.errors import SourceNotFoundError, SourceUnreadableError
from sagaledger.domain.upload.values import SourceFingerprint

__all__ = ["LocalSourceReader"]

_KINDS = (
    (stat.S_ISDIR, "it is a directory"),
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)


class LocalSourceReader:
    """Opens source files read-only."""

    def open(self, path: str) -> _LocalSource:
        """Open a regular file, with a shared lock if the file system supports locks.

        Raises:
            SourceNotFoundError: the path does not exist.
            SourceUnreadableError: not a regular file, no permission, or locked by a writer.
        """
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SourceNotFoundError(path) from error
        except (OSError, ValueError) as error:
            raise SourceUnreadableError(
                path, getattr(error, "strerror", "") or str(error)
            ) from error
        try:
            _check_kind(path, os.fstat(descriptor).st_mode)
            return _LocalSource(path, descriptor, _lock(path, descriptor))
        except BaseException:
            os.close(descriptor)
            raise


def _check_kind(path: str, mode: int) -> None:
    for is_kind, description in _KINDS:
        if is_kind(mode):
            raise SourceUnreadableError(path, f"{description}, not a regular file")


def _lock(path: str, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            cause = "another program has locked it for writing; try again when it has finished"
            raise SourceUnreadableError(path, cause) from error
        return False
    return True


class _LocalSource:
    """An open source file."""

    def __init__(self, path: str, descriptor: int, is_locked: bool) -> None:
        self._path = path
        self._descriptor = descriptor
        self._is_locked = is_locked

    @property
    def fingerprint(self) -> SourceFingerprint:
        """The current state of the path; a file renamed over it has another fingerprint."""
        status = self._stat()
        return SourceFingerprint(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)

    @property
    def changed_ns(self) -> int:
        """When the inode at the path last changed."""
        return self._stat().st_ctime_ns

    def write_back(self) -> bool:
        """Sync the file. Its pages are then clean, so the next write changes the ctime."""
        try:
            os.fdatasync(self._descriptor)
        except OSError:
            # Some file systems cannot sync; later changes may then leave the ctime as it is.
            return False
        return True

    @property
    def is_locked(self) -> bool:
        """Whether the shared lock was granted."""
        return self._is_locked

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from an offset. Returns fewer bytes only at the file's end."""
        filled = 0
        try:
            while filled < len(buffer):
                got = os.preadv(self._descriptor, [buffer[filled:]], offset + filled)
                if got == 0:
                    break
                filled += got
        except OSError as error:
            raise SourceUnreadableError(self._path, error.strerror or str(error)) from error
        return filled

    def _stat(self) -> os.stat_result:
        try:
            return Path(self._path).stat()
        except FileNotFoundError as error:
            raise SourceNotFoundError(self._path) from error
        except OSError as error:
            raise SourceUnreadableError(self._path, error.strerror or str(error)) from error

    def close(self) -> None:
        """Release the lock and close the file."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
