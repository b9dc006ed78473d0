"""How far a saga's present step is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

__all__ = ["Progress", "ProgressCallback"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a saga's present step is."""

    saga_id: UUID
    label: str
    """What the step works on, as it says itself; the name of the definition by default."""
    step: str
    done: int
    total: int
    unit: str
    """What `done` and `total` count, in the plural: `bytes`, `passages`."""


ProgressCallback: TypeAlias = Callable[[Progress], None]
