"""Log records as JSON, one object per line, for programs that collect logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.interface.cli.output import OutputUnusableError, plain

__all__ = ["JsonLogFormatter", "log_to_file"]


class JsonLogFormatter(logging.Formatter):
    """One JSON object per record.

    Every one has `time` (RFC 3339, UTC), `level`, `logger` and `message`; one about an event has
    `saga_id`, `upload_id`, `event`, `fields`, `worker`, `epoch`, `stream` and `version` too; one
    about an exception has `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line without its end."""
        moment = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, Any] = {
            "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        item = getattr(record, "recorded", None)
        if isinstance(item, RecordedEvent):
            told["saga_id"] = getattr(record, "saga_id", "")
            told["upload_id"] = getattr(record, "upload_id", "")
            told["event"] = type(item.event).__name__
            told["fields"] = plain(item.event)
            told["worker"] = item.worker
            told["epoch"] = item.epoch
            told["stream"] = item.originator_id.hex
            told["version"] = item.originator_version
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def log_to_file(path: Path) -> None:
    """Append what this package logs, from information on, to a file as JSON lines.

    Raises:
        OutputUnusableError: the file cannot be written.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputUnusableError(str(path), error.strerror or str(error)) from error
    handler.setFormatter(JsonLogFormatter())
    handler.setLevel(logging.INFO)
    logger = logging.getLogger("sagaledger")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
