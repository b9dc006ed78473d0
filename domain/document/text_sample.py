"""The start of a file, from which its format is detected."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TextSample"]


@dataclass(frozen=True, slots=True)
class TextSample:
    """What is known of a file before a format reads it."""

    name: str
    """The file's name, without folders."""
    start: bytes
    """The first bytes, never empty: 64 KiB, or all of a shorter file."""
    text: str
    """The characters of these bytes; empty where they hold a NUL."""
    is_binary: bool
    """Whether the bytes are no text."""

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot, in lower case: `.pdf`, or empty."""
        dot = self.name.rfind(".")
        return self.name[dot:].lower() if 0 < dot < len(self.name) - 1 else ""
