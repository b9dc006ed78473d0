"""The right to drive a saga for a while."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

__all__ = ["Lease"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to drive a saga for a while."""

    saga_id: UUID
    owner: str
    expires_us: int
