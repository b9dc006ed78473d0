"""What commands print: tables and sentences for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["bytes_text", "duration_text", "plain", "print_json", "print_table", "time_text"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def plain(value: Any) -> Any:
    """The value as what JSON knows: ids and digests as hexadecimal, enums as their text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(item) for item in value]
    return value


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    sys.stdout.write(json.dumps(plain(value), indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print rows in aligned columns, or a sentence where there are none."""
    if not rows:
        sys.stdout.write(empty + "\n")
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def bytes_text(size: float) -> str:
    """A size in binary units: `300.0 MiB`."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes any size")


def duration_text(seconds: float) -> str:
    """A duration: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def time_text(moment_us: int) -> str:
    """A moment in UTC, or a dash for none."""
    if not moment_us:
        return "-"
    return datetime.fromtimestamp(moment_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
