"""What a saga is made of: named steps, each with an action, an undo and a question to the store."""

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
    """What a step's functions are given."""

    @property
    def saga_id(self) -> UUID:
        """The saga; key every effect by it, so that it can be repeated and undone."""

    @property
    def parameters(self) -> Parameters:
        """What the saga was started with."""

    @property
    def outputs(self) -> dict[str, Parameters]:
        """What each completed step returned, by the step's name."""

    @property
    def started_us(self) -> int:
        """When the saga began by the wall clock, in microseconds since the epoch: the same for each
        step and each repetition of it.
        """

    @property
    def attempt(self) -> int:
        """The number of this try, from 1."""

    @property
    def step(self) -> str:
        """The name of the step."""

    def append(
        self, stream_id: UUID, after_version: int, events: Sequence[Event]
    ) -> list[RecordedEvent]:
        """Store events of another stream now, under this saga's claim, after those staged before.

        Raises:
            ValueError: it is the saga's own stream.
            LeaseLostError: another worker has claimed the saga.
            VersionConflictError: the stream has advanced beyond `after_version`.
            StorageBackendError: the event store cannot be written; nothing was stored.
        """

    def stage(
        self,
        stream_id: UUID,
        after_version: int,
        events: Sequence[Event],
        *,
        even_on_failure: bool = False,
    ) -> list[RecordedEvent]:
        """Have events of another stream stored in the transaction of the step's outcome, or of an
        `append` that comes before it.

        If the step fails they are discarded, except those that hold `even_on_failure`: these are
        stored with the failure. If this process dies first they are lost, so stage only what a
        repetition of the step finds again.

        Raises:
            ValueError: it is the saga's own stream.
        """

    def checkpoint(self) -> None:
        """Call between units of work of a long action.

        Raises:
            SagaCancelledError: the saga was cancelled, or its deadline passed.
            SagaPausedError: the saga was paused.
            WorkerStoppedError: this worker is shutting down.
            LeaseLostError: another worker took the saga over.
        """

    def progress(self, done: int, total: int, unit: str = "bytes", label: str = "") -> None:
        """Tell whoever watches how far the step is.

        Args:
            done: how many units are done.
            total: how many there are.
            unit: what is counted, in the plural; `bytes` are shown as sizes.
            label: what the step works on, a file say; the name of the definition by default.
        """


Action = Callable[[StepContext], Parameters | None]
"""Does the work. Must be idempotent, for a step in doubt after a crash is run again. May return
plain data, which is stored and given to later steps and to the undo."""

Compensation = Callable[[StepContext], int | None]
"""Undoes whatever the action may have done, also if it did none or half. May return how many
items it removed."""

ResidueProbe = Callable[[StepContext], Iterable[Residue]]
"""Asks the real store what of this saga is still there."""


@dataclass(frozen=True, slots=True)
class SagaStep:
    """One step. Without a compensation it has nothing to undo; without a probe its undo is
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
        """Whether a rollback has anything to do or ask here."""
        return self.compensation is not None or self.residue is not None


@dataclass(frozen=True, slots=True)
class SagaDefinition:
    """A name, a version and steps in order.

    `pivot` names the step before which the commit is decided: it and all after it only go
    forward. Without one, the commit is decided when the last step is done.
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
            KeyError: there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def with_step(self, step: SagaStep, *, after: str) -> SagaDefinition:
        """The same definition with one more step behind the one that is named.

        Behind the pivot it only goes forward, as the pivot does.

        Raises:
            KeyError: there is no step of that name.
            ValueError: there is one of the new step's name already.
        """
        place = self.steps.index(self.step(after)) + 1
        steps = [*self.steps[:place], step, *self.steps[place:]]
        return SagaDefinition(self.name, steps, self.version, self.pivot)
