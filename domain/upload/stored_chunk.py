"""A chunk as its store lists it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StoredChunk"]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as its store lists it."""

    key: str
    stored_bytes: int
    mark: str = ""
    """Stays the same as long as the stored bytes do, and changes with them; empty where the store
    cannot tell."""
