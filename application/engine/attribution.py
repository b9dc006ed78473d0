"""On whose behalf this thread stores events: what observers are told beside the events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

__all__ = ["acting_saga", "on_behalf_of"]

_ACTING: ContextVar[UUID | None] = ContextVar("sagaledger_acting_saga", default=None)


def acting_saga() -> UUID | None:
    """The saga on whose behalf this thread appends; None where it is no saga."""
    return _ACTING.get()


@contextmanager
def on_behalf_of(saga_id: UUID) -> Iterator[None]:
    """Attribute what the block appends, to whatever stream, to this saga."""
    token = _ACTING.set(saga_id)
    try:
        yield
    finally:
        _ACTING.reset(token)
