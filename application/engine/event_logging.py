"""Every event that is stored is also told to `logging`, with the ids that it is about.

A record has the attributes `saga_id`, `upload_id` (each empty where there is none) and `recorded`,
the event in its envelope, so that any formatter can make of it what it wants.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.housekeeping.events import OrphanRemovalFailed
from sagaledger.domain.saga.events import (
    RollbackRequired,
    SagaCompensationFailed,
    SagaParked,
    StepFailed,
)
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    IntegrityFailed,
    UploadEvent,
    UploadInterrupted,
)

__all__ = ["log_events"]

_logger = logging.getLogger("sagaledger.events")
# A program that has not set up logging is not to find our warnings on its standard error: whoever
# called is told of them anyway.
logging.getLogger("sagaledger").addHandler(logging.NullHandler())
_FAILURES = (
    ChunkDeletionFailed,
    IntegrityFailed,
    OrphanRemovalFailed,
    RollbackRequired,
    SagaCompensationFailed,
    SagaParked,
    StepFailed,
    UploadInterrupted,
)


def log_events(recorded: Iterable[RecordedEvent], saga_id: str = "") -> None:
    """Tell of events that are stored: failures as warnings, all else for information."""
    if not _logger.isEnabledFor(logging.WARNING):
        return
    for item in recorded:
        event = item.event
        level = logging.WARNING if isinstance(event, _FAILURES) else logging.INFO
        if not _logger.isEnabledFor(level):
            continue
        about = saga_id or str(getattr(event, "saga_id", ""))
        upload_id = item.originator_id.hex if isinstance(event, UploadEvent) else ""
        extra = {"saga_id": about, "upload_id": upload_id, "recorded": item}
        _logger.log(level, "saga %s: %s", about or "-", event, extra=extra)
