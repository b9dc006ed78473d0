"""Closes several resources; no failure hides another one."""

from __future__ import annotations

from typing import Protocol, TypeGuard

__all__ = ["Closeable", "close_all", "is_closeable"]


class Closeable(Protocol):
    """A resource that holds files or threads."""

    def close(self) -> None:
        """Release the files and threads."""


def is_closeable(part: object) -> TypeGuard[Closeable]:
    """Whether it can be closed, by a method of its own or of what it wraps."""
    return callable(getattr(part, "close", None))


def close_all(*parts: Closeable) -> None:
    """Close each in order, even if closing one of them fails.

    Raises:
        Exception: The first failure, with the others as its notes.
    """
    failures: list[Exception] = []
    for part in parts:
        try:
            part.close()
        except Exception as failure:  # noqa: BLE001 - raised below, after all were closed
            failures.append(failure)
    if failures:
        first, *others = failures
        for other in others:
            first.add_note(f"this could not be closed either: {other}")
        raise first
