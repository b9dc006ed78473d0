"""Keeps every failure: the first error carries later ones as notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sagaledger.domain.errors import describe
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.saga.errors import SagaPausedError, WorkerStoppedError

__all__ = ["add", "add_failures", "adding_to", "annotate", "finally_doing", "is_signal"]


def is_signal(error: BaseException | None) -> bool:
    """Whether an error only stops the work in this process: neither it nor its notes are kept."""
    return isinstance(error, SagaPausedError | WorkerStoppedError)


def add(error: BaseException, failure: BaseException, circumstance: str) -> None:
    """Add a failure as a note to an earlier error, unless that error has the same text."""
    detail = describe(failure)
    if detail not in describe(error):
        error.add_note(f"{circumstance}: {detail}")


@contextmanager
def adding_to(error: BaseException | None, circumstance: str) -> Iterator[None]:
    """Add a failure of the block as a note to an error that is already being handled.

    If there is no such error, or it is only a stop signal, the failure is raised.
    """
    try:
        yield
    except Exception as failure:
        if error is None or is_signal(error):
            raise
        add(error, failure, circumstance)


@contextmanager
def finally_doing(act: Callable[[], object], circumstance: str) -> Iterator[None]:
    """Call a function after the block. If both fail, the second error becomes a note."""
    try:
        yield
    except BaseException as error:
        with adding_to(error, circumstance):
            act()
        raise
    act()


def add_failures(error: Exception, unstored: Iterable[Event]) -> None:
    """Add the failures among unstored events as notes to the error that prevented the append."""
    for event in unstored:
        if event.failure:
            error.add_note(f"before that, {event.failure}")


@contextmanager
def annotate(events: Iterable[Event]) -> Iterator[None]:
    """If the block cannot store these events, the failures among them become notes of its error."""
    try:
        yield
    except Exception as error:
        add_failures(error, events)
        raise
