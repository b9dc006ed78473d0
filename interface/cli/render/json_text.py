"""Values for other programs, as JSON."""

from __future__ import annotations

import json
from typing import Any

from sagaledger.interface.cli.render.output import print_text
from sagaledger.interface.library.plain_data import plain

__all__ = ["print_json", "print_json_line"]


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    # What JSON escapes anyway includes every control character; the line ends are its own.
    print_text(json.dumps(plain(value), indent=2) + "\n")


def print_json_line(value: Any) -> None:
    """Print a value as one JSON document on a line of its own, for those that read a stream."""
    print_text(json.dumps(plain(value)) + "\n")
