"""Orphans: items in a store without an owner. Their states and the schedule of removal attempts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sagaledger.domain.saga.retry import RetryPolicy

__all__ = ["KnownOrphan", "OrphanState", "next_try_us", "orphan_id_of"]

_RETRY = RetryPolicy(max_attempts=2**31, delay_s=60.0, max_delay_s=3600.0, jitter=0.0)


class OrphanState(StrEnum):
    """The state of an orphan."""

    OPEN = "open"
    """A sweep is to remove it."""
    REMOVED = "removed"
    """Removed, and its store confirmed it."""
    ADOPTED = "adopted"
    """A person took responsibility for it: no sweep removes it."""
    WAIVED = "waived"
    """A person accepted that it remains: no alert, but a sweep that can remove it does."""

    @property
    def is_there(self) -> bool:
        """Whether the store may still contain it."""
        return self is not OrphanState.REMOVED


@dataclass(frozen=True, slots=True)
class KnownOrphan:
    """A listed orphan that is not removed yet."""

    orphan_id: str
    saga_id: str
    store: str
    ref: str
    state: OrphanState
    since_us: int
    next_try_us: int
    """When a scheduled sweep tries again, in µs since 1970 UTC."""


def orphan_id_of(saga_id: str, store: str, ref: str) -> str:
    """The short id of an orphan for people: 12 hexadecimal digits."""
    return hashlib.sha256(f"{saga_id}\n{store}\n{ref}".encode()).hexdigest()[:12]


def next_try_us(last_try_us: int, tries: int) -> int:
    """When to retry a removal that failed `tries` times: after 1 min, 2 min, … 1 h."""
    return last_try_us + round(_RETRY.delay_after(max(1, tries), 0.5) * 1_000_000)
