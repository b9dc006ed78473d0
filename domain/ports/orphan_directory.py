"""The port that finds orphans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sagaledger.domain.housekeeping.orphans import KnownOrphan

__all__ = ["OrphanDirectory"]


class OrphanDirectory(Protocol):
    """Finds orphans without replaying the log. Every query first catches up with the log."""

    def known(self) -> Sequence[KnownOrphan]:
        """Every orphan that is not removed, including adopted and waived ones, oldest first."""
