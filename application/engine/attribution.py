"""The saga on whose behalf this thread stores events, for observers of the event store."""

from __future__ import annotations

from contextvars import ContextVar, Token
from uuid import UUID

__all__ = ["acting_saga", "on_behalf_of"]

_ACTING: ContextVar[UUID | None] = ContextVar("sagaledger_acting_saga", default=None)


def acting_saga() -> UUID | None:
    """The saga on whose behalf this thread appends; None if it does not act for a saga."""
    return _ACTING.get()


class on_behalf_of:  # noqa: N801 - used as a function, and a generator takes three times as long
    """Attribute all events that the `with` block appends, in any stream, to this saga."""

    __slots__ = ("_saga_id", "_token")

    def __init__(self, saga_id: UUID) -> None:
        self._saga_id = saga_id

    def __enter__(self) -> None:
        self._token: Token[UUID | None] = _ACTING.set(self._saga_id)

    def __exit__(self, *_: object) -> None:
        _ACTING.reset(self._token)
