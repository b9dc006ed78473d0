"""The progress of a saga's current step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

__all__ = ["Progress", "ProgressCallback"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a saga's current step."""

    saga_id: UUID
    label: str
    """The object of the work, as the step reports it; the name of the definition by default."""
    step: str
    done: int
    total: int
    unit: str
    """The unit of `done` and `total`, as a plural noun: `bytes`, `passages`."""


ProgressCallback: TypeAlias = Callable[[Progress], None]
