"""A ladybug file that threads and processes use in turns.

The engine allows one process at a time to open a file. Each turn therefore opens the file, works
and closes it again; the others wait for a lock file next to it.
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
"""If a turn leaves a longer write-ahead log than this, the log is checkpointed into the tables.
Each turn replays the log: measured, 256 KiB take at most 20 ms, and a checkpoint takes 150 ms."""
_LOG_WITHIN_A_TURN_BYTES = 4 * 1024 * 1024
"""The maximum size of the log within a turn. Each checkpoint rewrites the tables."""
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
    """Grants turns at one file, and translates the engine's errors into the port's errors."""

    def __init__(self, path: Path, store: str, wait_s: float) -> None:
        self._path = path
        self._store = store
        self._wait_s = wait_s
        self._in_process = Lock()

    @contextmanager
    def turn(self, operation: str) -> Iterator[ladybug.Connection]:
        """An exclusive connection; every statement on it is a transaction.

        Raises:
            StorageBackendError: the engine failed, or the turn did not start in time.
            StorageFullError: the disk is full.
            DatabaseCorruptError: the file is not a valid ladybug database.
        """
        until_s = time.monotonic() + self._wait_s
        with self._thread_turn(operation), self._process_turn(operation, until_s):
            try:
                database = self._open(operation, until_s)
                try:
                    connection = ladybug.Connection(database)
                    try:
                        # Committed data is safe in the log; a checkpoint at each close would
                        # take longer than the work itself.
                        connection.execute("CALL force_checkpoint_on_close=false")
                        yield connection
                    finally:
                        connection.close()
                finally:
                    database.close()
            except RuntimeError as error:
                # The engine reports its errors as RuntimeError; the message names the cause.
                raise self._translate(operation, str(error)) from error

    def require_room(self, operation: str, size_bytes: int) -> None:
        """Refuse a write that might fill the disk: a failed log write aborts the process.

        Raises:
            StorageFullError: fewer bytes than this are free.
        """
        free_bytes = self._free_bytes()
        if free_bytes < size_bytes:
            cause = f"{free_bytes:,} bytes are free, {size_bytes:,} are needed to write safely"
            raise StorageFullError(self._store, operation, cause)

    def shorten_log(self, connection: ladybug.Connection) -> None:
        """Checkpoint a long log into the tables. Call it after the last write of a turn.

        Raises:
            RuntimeError: the engine failed; the turn translates the error.
        """
        log = self._path.with_name(f"{self._path.name}.wal")
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            connection.execute("CHECKPOINT")

    def pause(self) -> None:
        """Sleep between two turns of a long operation, so that waiting callers get their turns."""
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
                message = str(error)
                if _HELD in message:
                    # A program that ignores our lock file, such as a shell, has the file open.
                    if time.monotonic() > until_s:
                        raise self._held(operation) from error
                    time.sleep(_POLL_S)
                elif replay_whole and (".wal" in message or "WAL" in message):
                    # A full disk or a crash truncated the log. Committed data precedes the cut.
                    replay_whole = False
                else:
                    raise
            except (ValueError, IndexError, MemoryError) as error:
                # The engine raises these errors only for a damaged file.
                raise DatabaseCorruptError(str(self._path), str(error)) from error

    def _held(self, operation: str) -> StorageBackendError:
        cause = f"another process or thread held {self._path.name} for {self._wait_s:g} s"
        return StorageBackendError(self._store, operation, cause)

    def _translate(
        self, operation: str, message: str
    ) -> StorageBackendError | StorageFullError | DatabaseCorruptError:
        if any(sign in message for sign in _DAMAGED):
            return DatabaseCorruptError(str(self._path), message)
        full = _WRITE_FAILED in message and self._free_bytes() < _FULL_BELOW_BYTES
        kind = StorageFullError if full else StorageBackendError
        return kind(self._store, operation, f"{self._path}: {message}")

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
