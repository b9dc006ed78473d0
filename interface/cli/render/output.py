"""The two streams of the command: every line that it prints goes through `say` and `warn`.

A reader that leaves (`| head`) does not end the work, and no text from a file can send control
characters to the terminal.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from sagaledger.domain.errors import SagaledgerError

__all__ = [
    "OutputUnusableError",
    "finish_output",
    "prepare_output",
    "print_text",
    "printable",
    "say",
    "warn",
]

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class OutputUnusableError(SagaledgerError):
    """The output cannot be written."""

    def __init__(self, output: str, cause: str) -> None:
        super().__init__(f"cannot write {output}: {cause}")
        self.output = output


def say(line: str) -> None:
    """Print a line to standard output, with control characters spelled out.

    Raises:
        OutputUnusableError: The output cannot be written. A reader that has left is not an error.
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
    """Make both streams usable even if the shell has closed them or set an ASCII encoding."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            # The next opened file, such as a database, must not get this descriptor number.
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # The interpreter's own streams are of the class that has it.


def finish_output() -> None:
    """Flush the buffers.

    Raises:
        OutputUnusableError: The output cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def print_text(text: str) -> None:
    """Print a text for other programs to standard output, without escaping.

    Raises:
        OutputUnusableError: The output cannot be written. A reader that has left is not an error.
    """
    _write(sys.stdout, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # The reader of our output has left, which is not a failure of the work.
        _silence(stream)
    except OSError as error:
        _silence(stream)
        name = "standard output" if stream is sys.stdout else "standard error"
        raise OutputUnusableError(name, error.strerror or str(error)) from error


def _silence(stream: TextIO) -> None:
    # The rest of the buffer is discarded too when the interpreter ends.
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
