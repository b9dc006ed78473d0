"""What is left in stores and belongs to nobody: its states, and when its removal is tried again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sagaledger.domain.saga.retry import RetryPolicy

__all__ = ["KnownOrphan", "OrphanState", "next_try_us", "orphan_id_of"]

_RETRY = RetryPolicy(max_attempts=2**31, delay_s=60.0, max_delay_s=3600.0, jitter=0.0)


class OrphanState(StrEnum):
    """How far an orphan has come."""

    OPEN = "open"
    """To be removed."""
    REMOVED = "removed"
    """Gone, and its store confirmed it."""
    ADOPTED = "adopted"
    """Somebody takes care of it: no sweep touches it."""
    WAIVED = "waived"
    """Somebody accepted that it is left: nobody is alerted, but a sweep that can removes it."""

    @property
    def is_there(self) -> bool:
        """Whether its store may still have it."""
        return self is not OrphanState.REMOVED


@dataclass(frozen=True, slots=True)
class KnownOrphan:
    """An orphan of the list that was not removed yet."""

    orphan_id: str
    saga_id: str
    store: str
    ref: str
    state: OrphanState
    since_us: int
    next_try_us: int
    """When a sweep that runs by itself tries it again, in µs since 1970 UTC."""


def orphan_id_of(saga_id: str, store: str, ref: str) -> str:
    """The name that people give an orphan by: 12 hexadecimal digits."""
    return hashlib.sha256(f"{saga_id}\n{store}\n{ref}".encode()).hexdigest()[:12]


def next_try_us(last_try_us: int, tries: int) -> int:
    """When a removal that failed `tries` times is tried again: after 1 min, 2 min, … 1 h."""
    return last_try_us + round(_RETRY.delay_after(max(1, tries), 0.5) * 1_000_000)
