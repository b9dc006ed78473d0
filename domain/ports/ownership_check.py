"""How a store asks whether its caller still owns the saga (decision 0007)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["OwnershipCheck"]


OwnershipCheck: TypeAlias = Callable[[], None]
"""Raises an error if the caller no longer owns the saga. A store calls it in every write
transaction, once it holds the write lock. A former owner therefore cannot change what the next
owner has written, and a later owner writes after this transaction."""
