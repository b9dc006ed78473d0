"""Durable operations on a POSIX file system, and the translation of the system's errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sagaledger.domain.errors import StorageBackendError, StorageFullError

__all__ = ["disk_error", "make_folder", "sync_folder", "write_file"]


def disk_error(store: str, operation: str, error: OSError) -> StorageBackendError:
    """Translate an operating system error into a storage error."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    kind = StorageFullError if full else StorageBackendError
    return kind(store, operation, error.strerror or str(error))


def sync_folder(path: Path) -> None:
    """Make the directory entries of a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, each durably."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write or replace a file atomically and durably: readers see the old content or the new."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
