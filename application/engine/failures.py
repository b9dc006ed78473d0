"""No failure hides another: what went wrong first is told with what went wrong next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sagaledger.domain.errors import describe
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.saga.errors import SagaPausedError, WorkerStoppedError

__all__ = ["add", "adding_to", "annotate", "finally_doing", "is_signal"]


def is_signal(error: BaseException | None) -> bool:
    """Whether an error only ends the work here: nobody is told of it, nor of its notes."""
    return isinstance(error, SagaPausedError | WorkerStoppedError)


def add(error: BaseException, failure: BaseException, circumstance: str) -> None:
    """Make a failure a note of an error that comes before it, unless that says the same."""
    told = describe(failure)
    if told not in describe(error):
        error.add_note(f"{circumstance}: {told}")


@contextmanager
def adding_to(error: BaseException | None, circumstance: str) -> Iterator[None]:
    """Where an error is under way already, a failure of the block becomes a note of it.

    Where that is a mere signal, or there is none, the failure is raised.
    """
    try:
        yield
    except Exception as failure:
        if error is None or is_signal(error):
            raise
        add(error, failure, circumstance)


@contextmanager
def finally_doing(act: Callable[[], object], circumstance: str) -> Iterator[None]:
    """Do something once the block has ended; where both fail, the block's error tells of both."""
    try:
        yield
    except BaseException as error:
        with adding_to(error, circumstance):
            act()
        raise
    act()


@contextmanager
def annotate(events: Iterable[Event]) -> Iterator[None]:
    """Where the block fails to store events, its error tells of the failures that they are."""
    try:
        yield
    except Exception as error:
        for event in events:
            if event.failure:
                error.add_note(f"before that, {event.failure}")
        raise
