"""Text as a database takes it."""

from __future__ import annotations

__all__ = ["storable"]


def storable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair.

    Broken documents do yield such halves, and they cannot be encoded as UTF-8.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
