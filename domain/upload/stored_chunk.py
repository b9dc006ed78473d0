"""A chunk as its store lists it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StoredChunk"]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as its store lists it."""

    key: str
    stored_bytes: int
    etag: str = ""
    """Entity tag: stays the same until the stored bytes change; empty if the store has none."""
