"""Every stored event goes to `logging` too, with the ids that it is about.

A record has the attributes `saga_id`, `upload_id` (each empty where there is none) and `recorded`,
the event in its envelope with its position, so that any formatter can make of it what it wants.
"""

from __future__ import annotations

import logging

from sagaledger.domain.ports.event_observer import StoredEvents
from sagaledger.domain.upload.events import UploadEvent

__all__ = ["log_stored_events"]

_logger = logging.getLogger("sagaledger.events")
# A program that has not set up logging must not find our warnings on its standard error: whoever
# called gets the failures anyway.
logging.getLogger("sagaledger").addHandler(logging.NullHandler())


def log_stored_events(stored: StoredEvents) -> None:
    """Log failures as warnings, everything else as information: an immediate observer."""
    if not _logger.isEnabledFor(logging.WARNING):
        return
    logs_all = _logger.isEnabledFor(logging.INFO)
    acting = stored.saga_id.hex if stored.saga_id else ""
    for item in stored.events:
        event = item.event
        is_failure = bool(event.failure)
        if not is_failure and not logs_all:
            continue
        about = acting or str(getattr(event, "saga_id", ""))
        upload_id = item.originator_id.hex if isinstance(event, UploadEvent) else ""
        extra = {"saga_id": about, "upload_id": upload_id, "recorded": item}
        level = logging.WARNING if is_failure else logging.INFO
        _logger.log(level, "saga %s: %s", about or "-", event, extra=extra)
