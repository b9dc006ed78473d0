"""Plans a rollback: the undos in their order, each with the current result of its probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.definitions import DefinitionRegistry
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.journal import SagaJournal
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.engine.step_context import RunningStep
from sagaledger.domain.errors import describe
from sagaledger.domain.saga.definition import SagaStep
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.saga.values import Residue, SagaStatus

if TYPE_CHECKING:
    from sagaledger.domain.ports.ballast import Ballast
    from sagaledger.domain.ports.event_store import EventStore

__all__ = ["PlannedUndo", "rollback_plan"]


@dataclass(frozen=True, slots=True)
class PlannedUndo:
    """One step of a rollback."""

    step: str
    state: str
    """The step's state; see `StepState`."""
    undone: bool
    """Whether a rollback has already undone the step."""
    has_undo: bool
    """Whether the step has something to undo or to check."""
    found: tuple[Residue, ...]
    """What the store holds of the step now, as its probe reports it."""
    problem: str
    """The error of the probe; empty if it succeeded or is not needed."""


def rollback_plan(
    log: EventStore,
    definitions: DefinitionRegistry,
    envelope_factory: EnvelopeFactory,
    reserve: Ballast,
    saga_id: UUID,
) -> list[PlannedUndo]:
    """The steps of a rollback of the saga, in its order. Changes and records nothing.

    Raises:
        NotFoundError: The saga does not exist.
        SagaStateError: The saga cannot be rolled back, or is already rolled back.
        DefinitionUnknownError: The saga's definition is not registered.
        DefinitionMismatchError: The definition is registered with other steps.
        StorageBackendError: The log cannot be read.
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
        except Exception as error:  # noqa: BLE001 - the plan reports that the probe failed
            problem = describe(error)
    state = saga.steps[step.name].state
    return PlannedUndo(step.name, state.value, undone, step.leaves_traces, found, problem)
