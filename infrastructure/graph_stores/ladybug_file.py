"""A ladybug file that threads and processes take turns at.

The engine lets one process at a time hold a file, so each turn opens it, works and closes it; a
lock file beside it is where the others wait.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import ladybug
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.infrastructure.errors import DatabaseCorruptError

__all__ = ["LadybugFile"]

_BUFFER_BYTES = 128 * 1024 * 1024
_THREADS = 2
_LOG_BYTES = 256 * 1024
"""How long a log a turn may leave behind before its content is moved into the tables. Each turn
reads the log again: measured, 256 KiB cost 20 ms at the most, and moving it 150 ms."""
_LOG_WITHIN_A_TURN_BYTES = 4 * 1024 * 1024
"""How long it may get meanwhile: each time it is moved, the tables are written anew."""
_POLL_S = 0.02
_PAUSE_S = 0.05
_HELD = "Could not set lock"
_DAMAGED = (
    "not a valid Lbug database",
    "Cannot read checkpoint",
    "Load table failed",
    "may be corrupted",
)
_WRITE_FAILED = "Cannot write to file"
_FULL_BELOW_BYTES = 1024 * 1024


class LadybugFile:
    """Gives out turns at one file, and tells the engine's failures in our terms."""

    def __init__(self, path: Path, store: str, wait_s: float) -> None:
        self._path = path
        self._store = store
        self._wait_s = wait_s
        self._in_process = Lock()

    @contextmanager
    def turn(self, operation: str) -> Iterator[ladybug.Connection]:
        """A connection that nobody else has; every statement on it is a transaction.

        Raises:
            StorageBackendError: the engine failed, or the turn did not come in time.
            StorageFullError: there is no room.
            DatabaseCorruptError: the file is not one of the engine's.
        """
        until_s = time.monotonic() + self._wait_s
        with self._thread_turn(operation), self._process_turn(operation, until_s):
            try:
                database = self._open(operation, until_s)
                try:
                    connection = ladybug.Connection(database)
                    try:
                        # The log keeps what was committed; writing the tables anew at each close
                        # takes longer than the work itself.
                        connection.execute("CALL force_checkpoint_on_close=false")
                        yield connection
                    finally:
                        connection.close()
                finally:
                    database.close()
            except RuntimeError as error:
                # All that the engine raises is a RuntimeError with words.
                raise self._translated(operation, str(error)) from error

    def require_room(self, operation: str, size_bytes: int) -> None:
        """Refuse a write that might fill the disk: the engine ends the process if its log fails.

        Raises:
            StorageFullError: less than this is free.
        """
        free_bytes = self._free_bytes()
        if free_bytes < size_bytes:
            cause = f"{free_bytes:,} bytes are free, {size_bytes:,} are needed to write safely"
            raise StorageFullError(self._store, operation, cause)

    def shorten_log(self, connection: ladybug.Connection) -> None:
        """Move the content of a long log into the tables. Belongs behind what a turn has written.

        Raises:
            RuntimeError: the engine failed; the turn translates it.
        """
        log = self._path.with_name(f"{self._path.name}.wal")
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            connection.execute("CHECKPOINT")

    def pause(self) -> None:
        """Between two turns of a long work, let those who wait have theirs."""
        time.sleep(_PAUSE_S)

    @contextmanager
    def _thread_turn(self, operation: str) -> Iterator[None]:
        if not self._in_process.acquire(timeout=self._wait_s):
            raise self._held(operation)
        try:
            yield
        finally:
            self._in_process.release()

    @contextmanager
    def _process_turn(self, operation: str, until_s: float) -> Iterator[None]:
        queue = self._path.with_name(f"{self._path.name}.lock")
        try:
            descriptor = os.open(queue, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageBackendError(self._store, operation, str(error)) from error
        try:
            while not _try_lock(descriptor):
                if time.monotonic() > until_s:
                    raise self._held(operation)
                time.sleep(_POLL_S)
            yield
        finally:
            os.close(descriptor)

    def _open(self, operation: str, until_s: float) -> ladybug.Database:
        replay_whole = True
        while True:
            try:
                return ladybug.Database(
                    str(self._path),
                    buffer_pool_size=_BUFFER_BYTES,
                    max_num_threads=_THREADS,
                    checkpoint_threshold=_LOG_WITHIN_A_TURN_BYTES,
                    throw_on_wal_replay_failure=replay_whole,
                )
            except RuntimeError as error:
                words = str(error)
                if _HELD in words:
                    # A program that does not use our queue, such as a shell, has the file.
                    if time.monotonic() > until_s:
                        raise self._held(operation) from error
                    time.sleep(_POLL_S)
                elif replay_whole and (".wal" in words or "WAL" in words):
                    # A full disk or a crash cut the log short: what was committed lies before that.
                    replay_whole = False
                else:
                    raise
            except (ValueError, IndexError, MemoryError) as error:
                # A damaged file makes the engine read nonsense; only then does it raise these.
                raise DatabaseCorruptError(str(self._path), str(error)) from error

    def _held(self, operation: str) -> StorageBackendError:
        cause = f"another process or thread held {self._path.name} for {self._wait_s:g} s"
        return StorageBackendError(self._store, operation, cause)

    def _translated(
        self, operation: str, words: str
    ) -> StorageBackendError | StorageFullError | DatabaseCorruptError:
        if any(sign in words for sign in _DAMAGED):
            return DatabaseCorruptError(str(self._path), words)
        full = _WRITE_FAILED in words and self._free_bytes() < _FULL_BELOW_BYTES
        kind = StorageFullError if full else StorageBackendError
        return kind(self._store, operation, f"{self._path}: {words}")

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
