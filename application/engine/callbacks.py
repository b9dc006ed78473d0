"""Isolates a caller's callback, so that it can neither fail nor delay the work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

__all__ = ["IsolatedCallback"]

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)
_MAX_WAITING = 256


class IsolatedCallback(Generic[_T]):
    """Delivers updates to a callback on its own thread. Drops updates if the callback is slow.

    The first exception of the callback is logged, and the callback is not called again.
    """

    def __init__(self, name: str, callback: Callable[[_T], object] | None) -> None:
        """Start to serve a callback. With None, all updates are dropped."""
        self._name = name
        self._callback = callback
        self._waiting: SimpleQueue[_T | None] = SimpleQueue()
        self._thread: Thread | None = None
        if callback is not None:
            self._thread = Thread(target=self._run, name=f"sagaledger-{name}", daemon=True)
            self._thread.start()

    def __call__(self, news: _T) -> None:
        """Queue one update; never waits."""
        if self._callback is not None and self._waiting.qsize() < _MAX_WAITING:
            self._waiting.put(news)

    def close(self, timeout_s: float = 1.0) -> None:
        """Deliver the queued updates; wait for at most this long."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout_s)
            self._thread = None

    def _run(self) -> None:
        while (news := self._waiting.get()) is not None:
            callback = self._callback
            if callback is None:
                continue
            try:
                callback(news)
            except Exception:
                _logger.exception("the %s callback raised and is not called again", self._name)
                self._callback = None
                self._drain()

    def _drain(self) -> None:
        try:
            while self._waiting.get_nowait() is not None:
                continue
        except Empty:
            return
        self._waiting.put(None)
