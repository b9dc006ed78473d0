"""Every stored event goes to `logging` too, with the ids that it is about.

A record has the attributes `saga_id`, `upload_id` (either may be empty) and `recorded`, the event
in its envelope with its position, for formatters to use.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.upload.events import UploadEvent

if TYPE_CHECKING:
    from sagaledger.domain.ports.event_observer import StoredEvents

__all__ = ["EventLogger"]

_logger = logging.getLogger("sagaledger.events")
# A program that has not set up logging must not get our warnings on standard error: the
# caller gets the failures anyway.
logging.getLogger("sagaledger").addHandler(logging.NullHandler())


class EventLogger:
    """Logs failures as warnings and everything else as information: an immediate observer."""

    def wants(self, recorded: Sequence[RecordedEvent]) -> bool:
        """Whether the levels that are set let any of these events through."""
        if _logger.isEnabledFor(logging.INFO):
            return True
        if not any(item.event.failure for item in recorded):
            return False
        return _logger.isEnabledFor(logging.WARNING)

    def __call__(self, stored: StoredEvents) -> None:
        """Log each event that is let through."""
        acting = stored.saga_id.hex if stored.saga_id else ""
        for item in stored.events:
            event = item.event
            level = logging.WARNING if event.failure else logging.INFO
            if not _logger.isEnabledFor(level):
                continue
            about = acting or str(getattr(event, "saga_id", ""))
            upload_id = item.originator_id.hex if isinstance(event, UploadEvent) else ""
            extra = {"saga_id": about, "upload_id": upload_id, "recorded": item}
            _logger.log(level, "saga %s: %s", about or "-", event, extra=extra)
