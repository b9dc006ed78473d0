"""The port through which a recovery finds the sagas that have not ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

__all__ = ["OpenSaga", "OpenSagas"]


class OpenSaga(Protocol):
    """What a recovery has to know of a saga before it takes it up."""

    @property
    def saga_id(self) -> UUID:
        """Its id."""

    @property
    def paused(self) -> bool:
        """Whether a pause was requested."""

    @property
    def decided(self) -> bool:
        """Whether the commit is decided: then a pause no longer counts."""


class OpenSagas(Protocol):
    """Finds sagas that have not ended without replaying the whole log."""

    def open_sagas(self) -> Sequence[OpenSaga]:
        """Every saga that has not ended, oldest first, as of the newest event."""
