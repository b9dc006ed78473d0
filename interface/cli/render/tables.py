"""Prints rows in aligned columns or as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from sagaledger.interface.cli.render.output import print_text, printable, say
from sagaledger.interface.library.plain_data import plain

__all__ = ["print_csv", "print_table", "table_lines"]


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a line of column names and a line per row, quoted if necessary."""
    text = io.StringIO(newline="")
    # Values are quoted that hold a character of the line end: these two would break a row in two.
    writer = csv.writer(text, lineterminator="\r\n")
    for values in chain([columns], rows):
        writer.writerow(plain(list(values)))
        line = text.getvalue().removesuffix("\r\n")
        if sys.stdout.isatty():
            say(line)
        else:
            # Other programs get every character without escaping.
            print_text(line + "\n")
        text.seek(0)
        text.truncate()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print rows in aligned columns, or a sentence if the list is empty."""
    for line in table_lines(columns, rows, empty):
        say(line)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> Iterator[str]:
    """The lines of a table in aligned columns, or a sentence if it has no rows."""
    if not rows:
        yield empty
        return
    shown = [columns, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
