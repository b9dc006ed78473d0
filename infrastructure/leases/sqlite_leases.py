"""Leases for the processes of one data folder, and for the workers of one process.

A lease only separates living workers. The log protects against a former owner: its next event
conflicts with the claim of the new owner.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.errors import SagaledgerError, StorageBackendError
from sagaledger.domain.saga.errors import LeaseHeldError
from sagaledger.domain.saga.lease import Lease
from sagaledger.infrastructure.errors import DatabaseCorruptError
from sagaledger.infrastructure.migrations import migrate
from sagaledger.infrastructure.migrations.leases import LEASES
from sagaledger.infrastructure.sqlite_files import connect, storage_error
from sagaledger.infrastructure.write_transaction import write_transaction

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock

__all__ = ["MemoryLeaseStore", "MemoryLeases", "SqliteLeaseStore"]

_LOOK_S = 0.1
"""How long the last read of our lease is trusted."""
_UNSEEN = (0, 0.0)
_TAKE = (
    "INSERT INTO leases VALUES (?1,?2,?3) ON CONFLICT (saga_id) DO UPDATE "
    "SET owner=?2, expires_us=?3 WHERE owner=?2 OR expires_us<=?4"
)
"""Takes a lease that is free, ours or expired. The owner of any other lease may be dead."""


class SqliteLeaseStore:
    """Leases in an SQLite file, and for each worker a file that it keeps locked while it lives.

    The kernel frees that lock however the worker ends, so a dead worker's leases are free at once;
    the leases of a living but silent worker are free when they expire.
    """

    def __init__(self, path: Path, workers: Path, clock: Clock) -> None:
        """Announce this worker.

        Raises:
            DataFolderError: the file was written by a newer version.
            StorageBackendError: the file or folder cannot be used.
        """
        self._clock = clock
        self._path = path
        self._workers = workers
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lock = Lock()
        self._seen: dict[UUID, tuple[int, float]] = {}
        """When our leases expire, and when that was read from the file."""
        self._connection: sqlite3.Connection | None = None
        self._alive: int | None = None
        """The open file that is locked while this worker lives."""
        try:
            workers.mkdir(exist_ok=True)
            self._alive = os.open(self._life_file(self._owner), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._connection = connect(path)
            migrate(self._connection, path, LEASES)
            # After a power loss every owner is dead, so a lease need not outlive one.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")
        except BaseException as error:
            self._end()
            if isinstance(error, OSError | sqlite3.Error):
                raise _translating(error, "open", path) from error
            raise

    @property
    def owner(self) -> str:
        """The name of this worker."""
        return self._owner

    def acquire(self, saga_id: UUID, ttl_s: float) -> Lease:
        """Take the lease, or renew it if it is ours.

        Raises:
            LeaseHeldError: Another living worker holds it and it has not expired.
        """
        now_us = self._clock.now_us()
        lease = Lease(saga_id, self._owner, now_us + round(ttl_s * 1_000_000))
        with self._using() as connection:
            row = (saga_id.hex, self._owner, lease.expires_us, now_us)
            if connection.execute(_TAKE, row).rowcount == 0:
                self._take_from_the_dead(connection, lease)
            self._seen[saga_id] = lease.expires_us, self._clock.monotonic_s()
        return lease

    def renew(self, ttl_s: float) -> None:
        """Extend every lease of this worker that no other worker has taken."""
        expires_us = self._clock.now_us() + round(ttl_s * 1_000_000)
        with self._using() as connection:
            connection.execute(
                "UPDATE leases SET expires_us=? WHERE owner=?", (expires_us, self._owner)
            )
            self._seen.clear()

    def holds(self, saga_id: UUID) -> bool:
        """Whether the lease is still ours and has not expired.

        The file is read at most every tenth of a second: no worker takes a lease before it expires.
        """
        expires_us, seen_s = self._seen.get(saga_id, _UNSEEN)
        now_us, now_s = self._clock.now_us(), self._clock.monotonic_s()
        if expires_us > now_us and now_s - seen_s < _LOOK_S:
            return True
        with self._using() as connection:
            held = self._stored(connection, saga_id)
            is_ours = held is not None and held.owner == self._owner and held.expires_us > now_us
            if held is not None and is_ours:
                self._seen[saga_id] = held.expires_us, now_s
            return is_ours

    def release(self, saga_id: UUID) -> None:
        """Release the lease. Idempotent."""
        with self._using() as connection:
            self._seen.pop(saga_id, None)
            connection.execute(
                "DELETE FROM leases WHERE saga_id=? AND owner=?", (saga_id.hex, self._owner)
            )

    def holder(self, saga_id: UUID) -> Lease | None:
        """The living holder's lease, or None if any worker may take it."""
        with self._using() as connection:
            return self._living(connection, saga_id)

    def close(self) -> None:
        """Release all leases and end this worker. Idempotent."""
        if self._connection is None:
            return
        with suppress(StorageBackendError), self._using() as connection:
            connection.execute("DELETE FROM leases WHERE owner=?", (self._owner,))
        self._seen.clear()
        self._end()

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._alive is not None:
            self._life_file(self._owner).unlink(missing_ok=True)
            os.close(self._alive)
            self._alive = None

    def _take_from_the_dead(self, connection: sqlite3.Connection, lease: Lease) -> None:
        with write_transaction(connection):
            held = self._living(connection, lease.saga_id)
            if held is not None and held.owner != self._owner:
                left_s = (held.expires_us - self._clock.now_us()) / 1_000_000
                raise LeaseHeldError(lease.saga_id.hex, held.owner, left_s)
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?,?,?)",
                (lease.saga_id.hex, self._owner, lease.expires_us),
            )

    def _living(self, connection: sqlite3.Connection, saga_id: UUID) -> Lease | None:
        held = self._stored(connection, saga_id)
        if held is None or held.expires_us <= self._clock.now_us():
            return None
        return held if self._is_alive(held.owner) else None

    def _stored(self, connection: sqlite3.Connection, saga_id: UUID) -> Lease | None:
        row = connection.execute(
            "SELECT owner, expires_us FROM leases WHERE saga_id=?", (saga_id.hex,)
        ).fetchone()
        return None if row is None else Lease(saga_id, *row)

    def _is_alive(self, owner: str) -> bool:
        if owner == self._owner:
            return True
        life = self._life_file(owner)
        try:
            descriptor = os.open(life, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            # Names are never reused, so no process can be about to lock the file that we remove.
            life.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)

    def _life_file(self, owner: str) -> Path:
        return self._workers / f"{owner.replace('/', '_')}.alive"

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        # A reader tries once and keeps no lock: a suspended process would keep its locks.
        with self._lock:
            if self._connection is None:
                raise StorageBackendError("leases", "use", "this worker has ended")
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise _translating(error, "write", self._path) from error


def _translating(error: Exception, operation: str, path: Path) -> SagaledgerError:
    meant = storage_error(error, "leases", operation, path)
    if not isinstance(meant, DatabaseCorruptError):
        return meant
    cause = (
        f"{path} is damaged ({error}); delete it while no sagaledger command runs: it holds "
        "nothing but who is at work"
    )
    return StorageBackendError("leases", operation, cause)


class MemoryLeases:
    """The leases that the workers of one process share."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.held: dict[UUID, Lease] = {}
        self.alive: set[str] = set()


class MemoryLeaseStore:
    """One worker's view of leases in memory."""

    def __init__(self, owner: str, shared: MemoryLeases, clock: Clock) -> None:
        self._owner = owner
        self._shared = shared
        self._clock = clock
        shared.alive.add(owner)

    @property
    def owner(self) -> str:
        """The name of this worker."""
        return self._owner

    def acquire(self, saga_id: UUID, ttl_s: float) -> Lease:
        """Take the lease, or renew it if it is ours."""
        with self._shared.lock:
            held = self._living(saga_id)
            now_us = self._clock.now_us()
            if held is not None and held.owner != self._owner:
                left_s = (held.expires_us - now_us) / 1_000_000
                raise LeaseHeldError(saga_id.hex, held.owner, left_s)
            lease = Lease(saga_id, self._owner, now_us + round(ttl_s * 1_000_000))
            self._shared.held[saga_id] = lease
            return lease

    def renew(self, ttl_s: float) -> None:
        """Extend every lease of this worker that no other worker has taken."""
        expires_us = self._clock.now_us() + round(ttl_s * 1_000_000)
        with self._shared.lock:
            for saga_id, lease in self._shared.held.items():
                if lease.owner == self._owner:
                    self._shared.held[saga_id] = Lease(saga_id, self._owner, expires_us)

    def holds(self, saga_id: UUID) -> bool:
        """Whether the lease is still ours and has not expired."""
        with self._shared.lock:
            held = self._living(saga_id)
        return held is not None and held.owner == self._owner

    def release(self, saga_id: UUID) -> None:
        """Release the lease. Idempotent."""
        with self._shared.lock:
            held = self._shared.held.get(saga_id)
            if held is not None and held.owner == self._owner:
                del self._shared.held[saga_id]

    def holder(self, saga_id: UUID) -> Lease | None:
        """The living holder's lease, or None if any worker may take it."""
        with self._shared.lock:
            return self._living(saga_id)

    def close(self) -> None:
        """Release all leases and end this worker. Idempotent."""
        with self._shared.lock:
            self._shared.alive.discard(self._owner)

    def _living(self, saga_id: UUID) -> Lease | None:
        held = self._shared.held.get(saga_id)
        if held is None or held.expires_us <= self._clock.now_us():
            return None
        return held if held.owner in self._shared.alive else None
