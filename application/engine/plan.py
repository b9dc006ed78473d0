"""Plans a rollback: each undo in its order, and what its probe finds now."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.journal import SagaJournal
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.engine.step_context import RunningStep
from sagaledger.domain.errors import describe
from sagaledger.domain.ports.ballast import Ballast
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.definition import SagaStep
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, SagaStatus

__all__ = ["PlannedUndo", "rollback_plan"]


@dataclass(frozen=True, slots=True)
class PlannedUndo:
    """One step that a rollback would go through."""

    step: str
    state: str
    """How far the step came; see `StepState`."""
    undone: bool
    """Whether a rollback has undone it already."""
    has_undo: bool
    """Whether there is anything to be done here."""
    found: tuple[Residue, ...]
    """What its store says is there now."""
    problem: str
    """Why the store could not be asked; empty if it could, or has no need to."""


def rollback_plan(
    log: EventStore,
    definitions: DefinitionRegistry,
    envelope_factory: EnvelopeFactory,
    reserve: Ballast,
    saga_id: UUID,
) -> list[PlannedUndo]:
    """What a rollback of the saga would go through, in its order. Changes and records nothing.

    Raises:
        NotFoundError: there is no such saga.
        SagaStateError: it cannot be rolled back (any more).
        DefinitionUnknownError: it began under a definition that is not registered.
        DefinitionMismatchError: the definition is registered with other steps.
        StorageBackendError: the log cannot be read.
    """
    saga = load_saga(log, saga_id)
    if saga.decided:
        raise SagaStateError(f"saga {saga_id.hex} has decided to commit: it only goes forward")
    if saga.status is SagaStatus.COMPENSATED:
        raise SagaStateError(f"saga {saga_id.hex} is rolled back already, with nothing left")
    definition = definitions.definition_of(saga)
    journal = SagaJournal(log, envelope_factory, definition, saga, reserve)
    return [_planned(definition.step(name), saga, journal) for name in saga.touched_steps]


def _planned(step: SagaStep, saga: Saga, journal: SagaJournal) -> PlannedUndo:
    undone = step.name in saga.compensations and saga.compensations[step.name].clean
    found: tuple[Residue, ...] = ()
    problem = ""
    if step.residue is not None:
        context = RunningStep(journal, step.name, 1, lambda _: None, lambda: None)
        try:
            found = tuple(step.residue(context))
        except Exception as error:  # noqa: BLE001 - that it cannot be asked is part of the plan
            problem = describe(error)
    state = saga.steps[step.name].state
    return PlannedUndo(step.name, state.value, undone, step.leaves_traces, found, problem)
