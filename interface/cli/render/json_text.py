"""Output for other programs, as JSON."""

from __future__ import annotations

import json
from typing import Any

from sagaledger.interface.cli.render.output import print_text
from sagaledger.interface.library.plain_data import plain

__all__ = ["print_json", "print_json_line"]


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    # JSON escapes all control characters in values; the line ends are ours.
    print_text(json.dumps(plain(value), indent=2) + "\n")


def print_json_line(value: Any) -> None:
    """Print a value as one JSON document on a line of its own, for readers of a stream."""
    print_text(json.dumps(plain(value)) + "\n")
