"""Keeps this worker's leases alive while it works."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.failures import finally_doing
from sagaledger.domain.errors import StorageBackendError

if TYPE_CHECKING:
    from sagaledger.domain.ports.lease_store import LeaseStore

__all__ = ["LeaseKeeper"]

_logger = logging.getLogger(__name__)


class LeaseKeeper:
    """Holds leases, and renews each of them three times per time to live.

    A failed renewal is not fatal: the lease expires, and if another worker claims the saga, the
    log fences this worker off.
    """

    def __init__(self, leases: LeaseStore, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self._leases = leases
        self._lock = Lock()
        self._closing = Event()
        self._thread: Thread | None = None

    @contextmanager
    def hold(self, saga_id: UUID) -> Iterator[None]:
        """Hold the saga's lease during a `with` block.

        Raises:
            LeaseHeldError: Another living worker holds the lease.
        """
        self._leases.acquire(saga_id, self.ttl_s)
        self._start()
        release = partial(self._leases.release, saga_id)
        with finally_doing(release, "its lease could not be released"):
            yield

    def close(self) -> None:
        """Stop renewing."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._renew, name="sagaledger-leases", daemon=True)
                self._thread.start()

    def _renew(self) -> None:
        while not self._closing.wait(self.ttl_s / 3):
            try:
                self._leases.renew(self.ttl_s)
            except StorageBackendError as error:
                _logger.warning("leases could not be renewed: %s", error)
