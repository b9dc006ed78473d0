"""The port that finds orphans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.orphans import KnownOrphan

__all__ = ["OrphanDirectory"]


class OrphanDirectory(Protocol):
    """Finds orphans without replaying the log. Always up to date with the log when asked."""

    def known(self) -> Sequence[KnownOrphan]:
        """Every orphan that may still be there, adopted and waived ones too, oldest first."""
