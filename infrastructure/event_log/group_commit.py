"""What several threads append at one moment is stored in one transaction.

A durable commit costs about as much for many events as for one. Whoever finds nobody storing
stores at once, alone; those that come meanwhile wait, and are stored together by the first of
them. So no append ever waits for others to come, and each returns only once it is durable itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from eventsourcing.persistence import StoredEvent

__all__ = ["GroupCommit"]

_MOST_BATCHES = 64
"""So many batches at most share a transaction."""


class _Batch:
    """What one caller appends, and what came of it."""

    __slots__ = ("error", "is_settled", "leads", "positions", "rows", "turn")

    def __init__(self, rows: Sequence[StoredEvent]) -> None:
        self.rows = rows
        self.positions: Sequence[int] = ()
        self.error: Exception | None = None
        self.is_settled = False
        self.leads = False
        """Whether its caller is the one to store now."""
        self.turn = Lock()
        """Free once its caller has something to do: to return, or to store."""
        self.turn.acquire()


class GroupCommit:
    """Gathers the batches of several threads, in the order in which they came."""

    def __init__(self, store: Callable[[Sequence[StoredEvent]], Sequence[int]]) -> None:
        """Store by a function that one thread at a time calls.

        It stores all rows durably and returns their positions, or raises and stores none.
        """
        self._store = store
        self._lock = Lock()
        self._waiting: list[_Batch] = []
        self._is_storing = False

    def insert(self, rows: Sequence[StoredEvent]) -> Sequence[int]:
        """Store rows as a whole, and return their positions.

        Raises:
            Exception: what storing these rows raised; none of them is stored. Others that were
                to be stored with them are not affected.
        """
        batch = _Batch(rows)
        with self._lock:
            self._waiting.append(batch)
            if not self._is_storing:
                self._is_storing = batch.leads = True
                batch.turn.release()
        self._wait(batch)
        if not batch.is_settled:
            self._lead(batch)
        if batch.error is not None:
            raise batch.error
        return batch.positions

    def _wait(self, batch: _Batch) -> None:
        try:
            batch.turn.acquire()
        except BaseException:
            # The caller is interrupted, by Ctrl-C say: the others must not wait for it.
            with self._lock:
                if batch in self._waiting:
                    self._waiting.remove(batch)
                if batch.leads:
                    self._pass_on()
            raise

    def _lead(self, own: _Batch) -> None:
        with self._lock:
            group = self._waiting[:_MOST_BATCHES]
            del self._waiting[:_MOST_BATCHES]
        try:
            self._settle(group)
        finally:
            with self._lock:
                # Whoever is interrupted here leaves the rest to the next.
                self._waiting[:0] = [b for b in group if not b.is_settled and b is not own]
                self._pass_on()
            for batch in group:
                if batch.is_settled and batch is not own:
                    batch.turn.release()

    def _pass_on(self) -> None:
        self._is_storing = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].turn.release()

    def _settle(self, group: Sequence[_Batch]) -> None:
        try:
            positions = self._store([row for batch in group for row in batch.rows])
        except Exception as error:  # noqa: BLE001 - it is raised where the rows came from
            if len(group) > 1:
                # One of them cannot be stored, and only that one is to fail.
                for batch in group:
                    self._settle([batch])
            else:
                group[0].error, group[0].is_settled = error, True
            return
        first = 0
        for batch in group:
            after = first + len(batch.rows)
            batch.positions = positions[first:after]
            batch.is_settled = True
            first = after
