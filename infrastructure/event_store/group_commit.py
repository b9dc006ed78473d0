"""Group commit: concurrent appends of several threads share one transaction.

A durable commit costs about as much for many events as for one. If no thread is storing, a caller
stores at once and alone. Callers that arrive meanwhile wait, and the first of them stores all
their batches together. So no append waits for later ones, and each returns once it is durable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

__all__ = ["GroupCommit", "Outcome"]

Outcome: TypeAlias = Sequence[int] | Exception
"""The positions of a batch, or the error of this batch alone."""
_Rows = TypeVar("_Rows")

_MOST_BATCHES = 64
"""The maximum number of batches in one transaction."""
_IN_DOUBT = "interrupted while it was stored with others; it may be stored or not"


class _Batch(Generic[_Rows]):
    """The rows of one append, and their outcome."""

    __slots__ = ("error", "is_settled", "positions", "rows", "turn")

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        self.positions: Sequence[int] = ()
        self.error: Exception | None = None
        self.is_settled = False
        self.turn = Lock()
        """Released once its caller must act: return, or store."""
        self.turn.acquire()

    def call(self) -> None:
        """Wake its caller. Idempotent."""
        if self.turn.locked():
            self.turn.release()

    def settle(self, outcome: Outcome) -> None:
        """Settle it with its own outcome, because each error is raised in another thread."""
        if isinstance(outcome, Exception):
            self.error = outcome
        else:
            self.positions = outcome
        self.is_settled = True


class GroupCommit(Generic[_Rows]):
    """Gathers the batches of several threads, in the order in which they came.

    A caller may be interrupted anywhere, by Ctrl-C for example; the others must not wait for it.
    """

    def __init__(self, store: Callable[[Sequence[_Rows]], Sequence[Outcome]]) -> None:
        """Store by a function that one thread at a time calls with the rows of each batch.

        It stores batches durably, each as a whole, and returns the outcome of each, or raises and
        stores none of them.
        """
        self._store = store
        self._lock = Lock()
        self._storing = Lock()
        self._waiting: list[_Batch[_Rows]] = []
        self._group: list[_Batch[_Rows]] = []
        """The batches that the leader is storing."""
        self._leader: _Batch[_Rows] | None = None

    def insert(self, rows: _Rows) -> Sequence[int]:
        """Store rows as a whole, and return their positions.

        Raises:
            sqlite3.OperationalError: The caller that stored them was interrupted; they may be
                stored or not.
            Exception: Storing these rows failed; none of them is stored. Other batches of the
                transaction are not affected, unless the file cannot be written.
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
        """Drop a batch whose caller is interrupted, and those it was storing for others."""
        if self._leader is batch:
            for other in self._group:
                if not other.is_settled:
                    other.settle(sqlite3.OperationalError(_IN_DOUBT))
        batch.is_settled = True
        self._finish(batch)

    def _finish(self, own: _Batch[_Rows]) -> None:
        """Wake the callers of stored batches, and the next leader. Idempotent."""
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
    """Whether a single batch may be the cause, or may fit alone; otherwise all would retry."""
    return not isinstance(error, sqlite3.OperationalError) or "is full" in str(error)
