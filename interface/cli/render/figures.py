"""Counts, sizes, durations and times in readable form."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["bytes_text", "counted", "duration_text", "time_text"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 chunk`, `2 chunks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


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
    """A time in UTC, or a dash for none."""
    if not moment_us:
        return "-"
    return datetime.fromtimestamp(moment_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
