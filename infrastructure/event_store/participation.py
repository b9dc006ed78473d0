"""Passes the rows of a commit to participants, and separates their errors from those of the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sagaledger.domain.ports.event_observer import AppendedRow, AppendParticipant
from sagaledger.infrastructure.event_store.rows import NewRow

__all__ = ["ParticipantError", "show_to"]

_Transaction = TypeVar("_Transaction")


class ParticipantError(Exception):
    """A participant has raised; the append fails with that same error.

    Wrapped on the way, so that an error of the participant's own SQL is not taken for an error of
    the log.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def show_to(
    participants: Sequence[AppendParticipant[_Transaction]],
    rows: Sequence[NewRow],
    positions: Sequence[int],
    transaction: _Transaction,
) -> None:
    """Call each participant with the rows of one append.

    Raises:
        ParticipantError: One of them raised.
    """
    appended = [AppendedRow(position, *row) for position, row in zip(positions, rows, strict=True)]
    for participant in participants:
        try:
            participant.before_commit(appended, transaction)
        except Exception as error:
            raise ParticipantError(error) from error
