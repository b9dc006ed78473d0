"""The file of `--log`: the log records of the package as JSON lines."""

from __future__ import annotations

import logging
from pathlib import Path

from sagaledger.interface.cli.render.output import OutputUnusableError
from sagaledger.interface.library.structured_logs import JsonLogFormatter

__all__ = ["log_to_file"]


def log_to_file(path: Path) -> None:
    """Append the log records of this package, from level INFO on, to a file as JSON lines.

    Raises:
        OutputUnusableError: The file cannot be written.
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
