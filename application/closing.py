"""Closing several things, of which each may fail, without a failure that hides another."""

from __future__ import annotations

from typing import Protocol, TypeGuard

__all__ = ["Closeable", "close_all", "is_closeable"]


class Closeable(Protocol):
    """Anything that holds files or threads."""

    def close(self) -> None:
        """Release them."""


def is_closeable(part: object) -> TypeGuard[Closeable]:
    """Whether it can be closed, by a method of its own or of what it wraps."""
    return callable(getattr(part, "close", None))


def close_all(*parts: Closeable) -> None:
    """Close each, in order, also where one of them cannot be closed.

    Raises:
        Exception: the first failure, with the others as its notes.
    """
    failures: list[Exception] = []
    for part in parts:
        try:
            part.close()
        except Exception as failure:  # noqa: BLE001 - raised below, once all were tried
            failures.append(failure)
    if failures:
        first, *others = failures
        for other in others:
            first.add_note(f"this could not be closed either: {other}")
        raise first
