"""What commands print: lines and tables for people, JSON for machines.

Everything goes through `say` and `warn`, so that a reader who leaves (`| head`) ends no work, and
nothing that comes from a file's name or text can steer the terminal.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import chain
from typing import Any, TextIO
from uuid import UUID

from sagaledger.domain.errors import SagaledgerError

__all__ = [
    "OutputUnusableError",
    "bytes_text",
    "counted",
    "duration_text",
    "finish_output",
    "plain",
    "prepare_output",
    "print_csv",
    "print_json",
    "print_json_line",
    "print_table",
    "printable",
    "say",
    "table_lines",
    "time_text",
    "warn",
]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class OutputUnusableError(SagaledgerError):
    """What was asked for cannot be written where it was to go."""

    def __init__(self, output: str, cause: str) -> None:
        super().__init__(f"cannot write {output}: {cause}")
        self.output = output


def say(line: str) -> None:
    """Print a line to standard output, with control characters spelled out.

    Raises:
        OutputUnusableError: it cannot be written; that its reader has left is no error.
    """
    _write(sys.stdout, printable(line) + "\n")


def warn(line: str) -> None:
    """Print a line to standard error, with control characters spelled out."""
    _write(sys.stdout, "")
    _write(sys.stderr, printable(line) + "\n")


def printable(text: str) -> str:
    """The text with control characters spelled out, so that it stays on its line."""
    return text.translate(_CONTROLS)


def prepare_output() -> None:
    """Make both streams usable whatever the shell gave us: closed ones, or an encoding of ASCII."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            # The next file to be opened, a database perhaps, must not get this number.
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # The interpreter's own streams are of the class that has it.


def finish_output() -> None:
    """Hand over what is still in a buffer.

    Raises:
        OutputUnusableError: it cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


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
    # What JSON escapes anyway includes every control character; the line ends are its own.
    _write(sys.stdout, json.dumps(plain(value), indent=2) + "\n")


def print_json_line(value: Any) -> None:
    """Print a value as one JSON document on a line of its own, for those that read a stream."""
    _write(sys.stdout, json.dumps(plain(value)) + "\n")


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a line of column names and a line per row, quoted where they need it."""
    text = io.StringIO(newline="")
    # Values are quoted that hold a character of the line end: these two would break a row in two.
    writer = csv.writer(text, lineterminator="\r\n")
    for values in chain([columns], rows):
        writer.writerow(plain(list(values)))
        line = text.getvalue().removesuffix("\r\n")
        if sys.stdout.isatty():
            say(line)
        else:
            # For other programs every character stays what it is.
            _write(sys.stdout, line + "\n")
        text.seek(0)
        text.truncate()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print rows in aligned columns, or a sentence where there are none."""
    for line in table_lines(columns, rows, empty):
        say(line)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> Iterator[str]:
    """The lines of a table in aligned columns, or a sentence where it has no rows."""
    if not rows:
        yield empty
        return
    shown = [columns, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


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
    """A moment in UTC, or a dash for none."""
    if not moment_us:
        return "-"
    return datetime.fromtimestamp(moment_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # The reader of our output has left: nothing is wrong with the work.
        _silence(stream)
    except OSError as error:
        _silence(stream)
        name = "standard output" if stream is sys.stdout else "standard error"
        raise OutputUnusableError(name, error.strerror or str(error)) from error


def _silence(stream: TextIO) -> None:
    # What is still in the buffer goes the same way when the interpreter ends.
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
