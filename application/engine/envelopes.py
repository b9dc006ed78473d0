"""Puts events into their envelopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.history.envelope import Event, RecordedEvent

if TYPE_CHECKING:
    from sagaledger.domain.ports.clock import Clock

__all__ = ["EnvelopeFactory"]


class EnvelopeFactory:
    """Puts events into their envelopes for one worker."""

    def __init__(self, clock: Clock, worker: str) -> None:
        self._clock = clock
        self.worker = worker

    def envelopes(
        self, stream_id: UUID, after_version: int, epoch: int, events: Iterable[Event]
    ) -> list[RecordedEvent]:
        """The envelopes of the next events of a stream."""
        now_us = self._clock.now_us()
        return [
            RecordedEvent(stream_id, version, now_us, self.worker, epoch, event)
            for version, event in enumerate(events, after_version + 1)
        ]
