"""Saga definitions: named steps, each with an action, a compensation and a probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.saga.retry import NO_RETRY, RetryPolicy
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.values import Parameters

__all__ = [
    "DEFAULT_COMPENSATION_RETRY",
    "Action",
    "Compensation",
    "ResidueProbe",
    "SagaDefinition",
    "SagaStep",
    "StepContext",
]

DEFAULT_COMPENSATION_RETRY = RetryPolicy(max_attempts=3, delay_s=0.2, max_delay_s=5.0)


class StepContext(Protocol):
    """The argument of a step's functions."""

    @property
    def saga_id(self) -> UUID:
        """The saga. Key every effect by it, so that the effect can be repeated and undone."""

    @property
    def parameters(self) -> Parameters:
        """The parameters of the saga."""

    @property
    def outputs(self) -> dict[str, Parameters]:
        """The output of each completed step, by the step's name."""

    @property
    def started_us(self) -> int:
        """When the saga started: wall time in microseconds since the epoch, the same for every step
        and every repetition.
        """

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""

    @property
    def step(self) -> str:
        """The name of the step."""

    def append(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Store events of another stream now, under this saga's claim, after all staged events.

        Raises:
            ValueError: The stream is the saga's own.
            LeaseLostError: Another worker has claimed the saga.
            VersionConflictError: The stream has advanced beyond `after_version`.
            StorageBackendError: The event store cannot be written; nothing was stored.
        """

    def stage(
        self,
        stream_id: UUID,
        after_version: int,
        events: Sequence[Event],
        *,
        even_on_failure: bool = False,
    ) -> list[RecordedEvent]:
        """Stage events of another stream: they are stored in the transaction of the step's outcome,
        or of an earlier `append`.

        If the step fails they are discarded, except those with `even_on_failure`, which are stored
        with the failure. If this process dies first they are lost, so stage only events that a
        repetition of the step stages again.

        Raises:
            ValueError: The stream is the saga's own.
        """

    def checkpoint(self) -> None:
        """Call between units of work of a long action.

        Raises:
            SagaCancelledError: The saga was cancelled, or its deadline passed.
            SagaPausedError: The saga was paused.
            WorkerStoppedError: This worker is shutting down.
            LeaseLostError: Another worker took the saga over.
        """

    def progress(self, done: int, total: int, unit: str = "bytes", label: str = "") -> None:
        """Report the step's progress.

        Args:
            done: the number of finished units.
            total: the number of all units.
            unit: the unit as a plural noun; `bytes` are shown as sizes.
            label: the object of the work, such as a file; the name of the definition by default.
        """


Action = Callable[[StepContext], Parameters | None]
"""Does the work. Must be idempotent, because a step in doubt after a crash is run again. May return
plain data, which is stored and passed to later steps and to the undo."""

Compensation = Callable[[StepContext], int | None]
"""Undoes all effects of the action, even if it had none or only some. May return the number of
removed items."""

ResidueProbe = Callable[[StepContext], Iterable[Residue]]
"""Finds what the real store still holds of this saga."""


@dataclass(frozen=True, slots=True)
class SagaStep:
    """One step. Without a compensation, it has nothing to undo. Without a probe, its undo is
    recorded as unverified.
    """

    name: str
    action: Action
    compensation: Compensation | None = None
    residue: ResidueProbe | None = None
    retry: RetryPolicy = NO_RETRY
    compensation_retry: RetryPolicy = DEFAULT_COMPENSATION_RETRY

    @property
    def leaves_traces(self) -> bool:
        """Whether a rollback must undo or probe this step."""
        return self.compensation is not None or self.residue is not None


@dataclass(frozen=True, slots=True)
class SagaDefinition:
    """A name, a version and steps in order.

    `pivot` names the step before which the commit is decided: the pivot and all later steps only go
    forward. Without a pivot, the commit is decided when the last step is done.
    """

    name: str
    steps: tuple[SagaStep, ...]
    version: int = 1
    pivot: str = ""

    def __init__(
        self, name: str, steps: Iterable[SagaStep], version: int = 1, pivot: str = ""
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "steps", tuple(steps))
        object.__setattr__(self, "version", version)
        object.__setattr__(self, "pivot", pivot)
        names = [step.name for step in self.steps]
        if not names or not all(names) or len(set(names)) != len(names):
            raise ValueError(
                f"saga {name!r} needs at least one step, each with a name of its own: {names}"
            )
        if pivot and pivot not in names:
            raise ValueError(f"saga {name!r} has no step {pivot!r} to be its pivot")

    @property
    def step_names(self) -> tuple[str, ...]:
        """The names of the steps, in order."""
        return tuple(step.name for step in self.steps)

    def step(self, name: str) -> SagaStep:
        """The step with this name.

        Raises:
            KeyError: The step does not exist.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def with_step(self, step: SagaStep, *, after: str) -> SagaDefinition:
        """The same definition with one more step after the named one.

        A step after the pivot only goes forward, like the pivot.

        Raises:
            KeyError: The named step does not exist.
            ValueError: A step with the new step's name exists already.
        """
        place = self.steps.index(self.step(after)) + 1
        steps = [*self.steps[:place], step, *self.steps[place:]]
        return SagaDefinition(self.name, steps, self.version, self.pivot)
