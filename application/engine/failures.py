"""No failure hides another: what went wrong first is told with what went wrong next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sagaledger.domain.errors import describe
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.housekeeping.events import OrphanRemovalFailed
from sagaledger.domain.saga.errors import SagaPausedError, WorkerStoppedError
from sagaledger.domain.saga.events import CompensationAttempted, RollbackRequired, StepFailed
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    IntegrityFailed,
    UploadInterrupted,
)

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
            if told := _failure(event):
                error.add_note(f"before that, {told}")
        raise


def _failure(event: Event) -> str:
    match event:
        case StepFailed():
            return f"step {event.step} failed: {event.error}"
        case RollbackRequired():
            return f"a rollback became necessary: {event.message}"
        case CompensationAttempted():
            left = "; ".join(residue.detail for residue in event.residue if residue.detail)
            causes = " and ".join(filter(None, (event.error, left)))
            return causes and f"step {event.step} could not be undone: {causes}"
        case IntegrityFailed():
            return f"check {event.check} did not hold: {event.detail}"
        case UploadInterrupted():
            return f"the upload was interrupted: {event.detail}"
        case ChunkDeletionFailed():
            return f"chunk {event.key} could not be removed: {event.error}"
        case OrphanRemovalFailed():
            return f"{event.store} {event.ref} could not be removed: {event.error}"
        case _:
            return ""
