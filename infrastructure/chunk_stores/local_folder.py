"""Chunks as files: one folder per upload, one file per chunk, `<root>/<upload id>/<index>`.

A chunk is written to a hidden file, synced, and linked to its final name. The link fails if the
name is taken. `flush` then syncs the folder: the name survives a power loss (decision 0004).
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.infrastructure.chunk_stores.direct_file import DirectFile, DirectReader
from sagaledger.infrastructure.chunk_stores.keys import check_key, check_prefix
from sagaledger.infrastructure.disk import disk_error, make_folder, sync_folder

if TYPE_CHECKING:
    from sagaledger.domain.ports.buffer import Buffer

__all__ = ["LocalFolderChunkStore"]

_NAME = "chunks"
_PARTIAL_SUFFIX = ".part"
_CAN_ADVISE = hasattr(os, "posix_fadvise")


class LocalFolderChunkStore:
    """A durable chunk store on a local disk. Safe for several threads and processes."""

    def __init__(self, root: Path) -> None:
        """Use this folder; create it if it is missing.

        Raises:
            StorageBackendError: the folder cannot be created.
        """
        self._root = root
        try:
            make_folder(root)
        except OSError as error:
            raise disk_error(_NAME, "open", error) from error

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    @property
    def read_from(self) -> str:
        """Where reads come from, as text for the log."""
        return "disk, page cache dropped" if _CAN_ADVISE else "disk, may be cached"

    def open_prefix(self, prefix: str) -> None:
        """Create the upload's folder, durably. Idempotent."""
        folder = self._folder(prefix)
        try:
            make_folder(folder)
            sync_folder(self._root)
        except OSError as error:
            raise disk_error(_NAME, "make folder", error) from error

    def create(self, key: str) -> _LocalChunkWriter:
        """Start writing a chunk.

        Raises:
            StorageBackendError: the upload's folder does not exist, or the disk fails.
        """
        upload_id, index = check_key(key)
        return _LocalChunkWriter(self._root / upload_id, index, key)

    def flush(self, prefix: str) -> None:
        """Make every chunk committed under the prefix durable against a power loss."""
        try:
            sync_folder(self._folder(prefix))
        except OSError as error:
            raise disk_error(_NAME, "sync", error) from error

    def open(self, key: str) -> BinaryIO:
        """Open the stored bytes; reads come from the disk.

        Raises:
            ChunkMissingError: the chunk does not exist.
        """
        upload_id, index = check_key(key)
        try:
            file = DirectReader(self._root / upload_id / index)
        except FileNotFoundError as error:
            raise ChunkMissingError(key) from error
        except OSError as error:
            raise disk_error(_NAME, "read", error) from error
        _drop_cache(file.fileno())
        return file

    def list(self, prefix: str) -> Iterator[StoredChunk]:
        """List the committed chunks under a prefix, ordered by key."""
        folder = self._folder(prefix)
        try:
            with os.scandir(folder) as entries:
                found = sorted(_seen(entries))
        except FileNotFoundError:
            return
        except OSError as error:
            raise disk_error(_NAME, "list", error) from error
        for index, seen in found:
            yield StoredChunk(prefix + index, seen.st_size, _etag_of(seen))

    def delete(self, key: str) -> bool:
        """Remove a chunk. Returns False if it does not exist."""
        upload_id, index = check_key(key)
        try:
            (self._root / upload_id / index).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise disk_error(_NAME, "delete", error) from error
        return True

    def close_prefix(self, prefix: str) -> None:
        """Remove unfinished chunks and the empty folder, durably. Idempotent."""
        folder = self._folder(prefix)
        try:
            for entry in list(os.scandir(folder)):
                if entry.name.startswith("."):
                    Path(entry.path).unlink(missing_ok=True)
            folder.rmdir()
            sync_folder(self._root)
        except FileNotFoundError:
            return
        except OSError as error:
            raise disk_error(_NAME, "remove folder", error) from error

    def prefixes(self) -> Iterator[str]:
        """List every prefix that has a folder."""
        try:
            with os.scandir(self._root) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir())
        except OSError as error:
            raise disk_error(_NAME, "list", error) from error
        for name in names:
            with suppress(StorageBackendError):
                check_prefix(f"{name}/")
                yield f"{name}/"

    def _folder(self, prefix: str) -> Path:
        return self._root / check_prefix(prefix)


class _LocalChunkWriter:
    """Writes a hidden file, which `commit` turns into a chunk."""

    def __init__(self, folder: Path, index: str, key: str) -> None:
        self._key = key
        self._final = folder / index
        self._partial = folder / f".{index}.{secrets.token_hex(4)}{_PARTIAL_SUFFIX}"
        self._descriptor = -1
        try:
            self._descriptor = os.open(
                self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise disk_error(_NAME, "create", error) from error
        self._file = DirectFile(self._descriptor)

    def write(self, block: Buffer) -> None:
        """Append bytes to the chunk."""
        left = memoryview(block)
        try:
            if self._descriptor < 0:
                # Another file may have reused the descriptor's number.
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            while left:
                # A short write is not an error: the next write continues, or raises the cause.
                left = left[self._file.write(left) :]
        except OSError as error:
            self.abort()
            raise disk_error(_NAME, "write", error) from error

    def commit(self) -> str:
        """Make the bytes durable under the key."""
        try:
            self._sync()
            os.link(self._partial, self._final)
        except FileExistsError as error:
            raise ChunkExistsError(self._key) from error
        except OSError as error:
            self.abort()
            raise disk_error(_NAME, "write", error) from error
        self.abort()
        try:
            # Removing the hidden name was the last change of the inode, so its ctime is final.
            return _etag_of(self._final.stat())
        except OSError:
            # The chunk is committed. If it is unreadable, the next listing reports that.
            return ""

    def abort(self) -> None:
        """Remove the hidden file. A committed chunk keeps its final name."""
        self._close()
        with suppress(OSError):
            # A file that cannot be removed now is removed with the upload's folder.
            self._partial.unlink(missing_ok=True)

    def _sync(self) -> None:
        if self._descriptor < 0:
            return
        os.fdatasync(self._descriptor)
        # The bytes are on disk. Dropping them from the cache makes the read-back use the disk.
        _drop_cache(self._descriptor)
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def _seen(entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, os.stat_result]]:
    for entry in entries:
        if not entry.name.startswith("."):
            # A file may have been removed since the folder was read; list the others.
            with suppress(FileNotFoundError):
                yield entry.name, entry.stat()


def _etag_of(seen: os.stat_result) -> str:
    """Inode, size and ctime, which programs cannot set; empty if ctime has whole seconds only."""
    if seen.st_ctime_ns % 1_000_000_000 == 0:
        return ""
    return f"{seen.st_ino} {seen.st_size} {seen.st_ctime_ns}"


def _drop_cache(descriptor: int) -> None:
    """Drop the file's clean pages from the page cache."""
    if _CAN_ADVISE:
        # This is only advice. If the kernel ignores it, reads may come from the cache.
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
