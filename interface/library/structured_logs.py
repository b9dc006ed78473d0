"""Log records as JSON, one object per line, for programs that collect logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.interface.library.plain_data import plain

__all__ = ["JsonLogFormatter"]


class JsonLogFormatter(logging.Formatter):
    """One JSON object per record.

    Each record has `time` (RFC 3339, UTC), `level`, `logger` and `message`. A record about an event
    also has `saga_id`, `upload_id`, `event`, `fields`, `worker`, `epoch`, `stream` and `version`. A
    record about an exception has `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line without its end."""
        moment = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        item = getattr(record, "recorded", None)
        if isinstance(item, RecordedEvent):
            entry["saga_id"] = getattr(record, "saga_id", "")
            entry["upload_id"] = getattr(record, "upload_id", "")
            entry["event"] = type(item.event).__name__
            entry["fields"] = plain(item.event)
            entry["worker"] = item.worker
            entry["epoch"] = item.epoch
            entry["stream"] = item.originator_id.hex
            entry["version"] = item.originator_version
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
