"""Serves one observer of stored events on its own thread, so that no append waits for it."""

from __future__ import annotations

import logging
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_observer import EventObserver, StoredEvents


__all__ = ["CLOSE_TIMEOUT_S", "MAX_WAITING_EVENTS", "ObserverThread"]

MAX_WAITING_EVENTS = 10_000
"""The number of events that can wait for a slow observer. It misses further events."""
CLOSE_TIMEOUT_S = 5.0
"""How long closing waits until all observers together have received their queued events."""

_logger = logging.getLogger(__name__)


class ObserverThread:
    """Delivers stored events to an observer in the order of `offer`, which never waits.

    Nothing is dropped silently. An observer that is too slow receives, with its next events, the
    number of missed events. The first missed events and the first exception are logged as
    warnings at once; closing logs the totals of both. An observer that raises still receives the
    next events.
    """

    def __init__(self, observer: EventObserver) -> None:
        """Start the thread."""
        self.name = str(getattr(observer, "__qualname__", type(observer).__qualname__))
        self.missed = 0
        """The number of events that it did not receive, or had not processed when it was closed."""
        self.failures = 0
        """The number of times it raised."""
        self._observer = observer
        self._lock = Lock()
        self._waiting = 0
        self._gap = 0
        self._is_abandoned = False
        self._offered: SimpleQueue[StoredEvents | None] = SimpleQueue()
        self._thread = Thread(
            target=self._run, name=f"sagaledger-observer-{self.name}", daemon=True
        )
        self._thread.start()

    def offer(self, stored: StoredEvents) -> None:
        """Queue events for the observer; never waits for it."""
        count = len(stored.events)
        with self._lock:
            is_kept = not self._waiting or self._waiting + count <= MAX_WAITING_EVENTS
            is_first = not is_kept and not self.missed
            if is_kept:
                self._waiting += count
                self._offered.put(stored._replace(missed=self._gap))
                self._gap = 0
            else:
                self._gap += count
                self.missed += count
        if is_first:
            _logger.warning(
                "observer %s is too slow: %d events wait, later ones are missed",
                self.name,
                MAX_WAITING_EVENTS,
            )

    def close(self, timeout_s: float) -> None:
        """Deliver the queued events for at most this long, and log the number of missed ones."""
        self._offered.put(None)
        self._thread.join(timeout_s)
        with self._lock:
            # The queue is empty, unless the observer hangs or has ended its thread.
            self._is_abandoned = True
            self.missed += self._waiting
            missed, failures = self.missed, self.failures
        if missed or failures:
            _logger.warning(
                "observer %s missed %d events and raised %d times", self.name, missed, failures
            )

    def _run(self) -> None:
        while (stored := self._offered.get()) is not None and not self._is_abandoned:
            try:
                self._observer(stored)
            except Exception as error:
                with self._lock:
                    self.failures += 1
                    is_first = self.failures == 1
                if is_first:
                    _logger.warning("observer %s raised", self.name, exc_info=error)
            with self._lock:
                self._waiting -= len(stored.events)
