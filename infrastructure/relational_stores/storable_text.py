"""Text that a database accepts."""

from __future__ import annotations

__all__ = ["storable"]


def storable(text: str) -> str:
    """The text with each lone surrogate replaced by a question mark.

    Damaged documents contain lone surrogates, which cannot be encoded as UTF-8.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
