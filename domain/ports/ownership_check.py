"""How a store asks whether its caller still owns the saga (decision 0007)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["OwnershipCheck"]


OwnershipCheck: TypeAlias = Callable[[], None]
"""Raises what ends the writer's right to write. A store calls it in every transaction that writes,
once nobody else can write: whoever may not write any more then changes nothing of what the next
owner wrote, and whoever takes over later writes after this transaction."""
