"""What several threads append at one moment is stored in one transaction.

A durable commit costs about as much for many events as for one. Whoever finds nobody storing
stores at once, alone; those that come meanwhile wait, and are stored together by the first of
them. So no append ever waits for others to come, and each returns only once it is durable itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

__all__ = ["GroupCommit", "Outcome"]

Outcome: TypeAlias = Sequence[int] | Exception
"""The positions of a batch, or why it alone was not stored."""
_Rows = TypeVar("_Rows")

_MOST_BATCHES = 64
"""So many batches at most share a transaction."""
_IN_DOUBT = "interrupted while it was stored with others; it may be there or not"


class _Batch(Generic[_Rows]):
    """What one caller appends, and what came of it."""

    __slots__ = ("error", "is_settled", "positions", "rows", "turn")

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        self.positions: Sequence[int] = ()
        self.error: Exception | None = None
        self.is_settled = False
        self.turn = Lock()
        """Free once its caller has something to do: to return, or to store."""
        self.turn.acquire()

    def call(self) -> None:
        """Let its caller go on. Idempotent."""
        if self.turn.locked():
            self.turn.release()

    def settle(self, outcome: Outcome) -> None:
        """Settle it with an outcome of its own, for each error is raised in another thread."""
        if isinstance(outcome, Exception):
            self.error = outcome
        else:
            self.positions = outcome
        self.is_settled = True


class GroupCommit(Generic[_Rows]):
    """Gathers the batches of several threads, in the order in which they came.

    A caller may be interrupted anywhere, by Ctrl-C say: the others are not to wait for it.
    """

    def __init__(self, store: Callable[[Sequence[_Rows]], Sequence[Outcome]]) -> None:
        """Store by a function that one thread at a time calls with the rows of each batch.

        It stores batches durably, each as a whole, and returns what came of each, or raises and
        stores none of them.
        """
        self._store = store
        self._lock = Lock()
        self._storing = Lock()
        self._waiting: list[_Batch[_Rows]] = []
        self._group: list[_Batch[_Rows]] = []
        """What the leader is storing."""
        self._leader: _Batch[_Rows] | None = None

    def insert(self, rows: _Rows) -> Sequence[int]:
        """Store rows as a whole, and return their positions.

        Raises:
            sqlite3.OperationalError: the caller who stored them was interrupted; they may be
                stored or not.
            Exception: what storing these rows raised; none of them is stored. Others that were
                to be stored with them are not affected, unless it is the file that cannot be
                written.
        """
        batch = _Batch(rows)
        try:
            with self._lock:
                self._waiting.append(batch)
                if self._leader is None:
                    self._leader = batch
                    batch.call()
            batch.turn.acquire()
            if not batch.is_settled:
                self._lead(batch)
        except BaseException:
            self._leave(batch)
            raise
        if batch.error is not None:
            raise batch.error
        return batch.positions

    def _lead(self, own: _Batch[_Rows]) -> None:
        with self._storing:
            with self._lock:
                self._group = self._waiting[:_MOST_BATCHES]
                del self._waiting[:_MOST_BATCHES]
            self._settle(self._group)
        self._finish(own)

    def _leave(self, batch: _Batch[_Rows]) -> None:
        """Give up a batch whose caller is interrupted, and what it was storing for others."""
        if self._leader is batch:
            for other in self._group:
                if not other.is_settled:
                    other.settle(sqlite3.OperationalError(_IN_DOUBT))
        batch.is_settled = True
        self._finish(batch)

    def _finish(self, own: _Batch[_Rows]) -> None:
        """Call those that were stored, and the next leader. Idempotent."""
        with self._lock:
            self._waiting[:] = [batch for batch in self._waiting if not batch.is_settled]
            if self._leader is not own:
                return
            for batch in self._group:
                batch.call()
            self._group = []
            following = self._waiting[0] if self._waiting else None
            if following is not None:
                following.call()
            self._leader = following

    def _settle(self, group: Sequence[_Batch[_Rows]]) -> None:
        try:
            outcomes = self._store([batch.rows for batch in group])
        except Exception as error:  # noqa: BLE001 - it is raised where the rows came from
            if len(group) == 1:
                group[0].settle(error)
            elif _is_of_one(error):
                for batch in group:
                    self._settle([batch])
            else:
                for batch in group:
                    batch.settle(copy(error))
            return
        for batch, outcome in zip(group, outcomes, strict=True):
            batch.settle(outcome)


def _is_of_one(error: Exception) -> bool:
    """Whether one batch is to blame, or alone might have found room. Else each would wait anew."""
    return not isinstance(error, sqlite3.OperationalError) or "is full" in str(error)
