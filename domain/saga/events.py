"""The events of a saga.

A stored event type is never changed: a new field or meaning is a new version with an upcaster in
the codec. Fields are stored by position, so their order is part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sagaledger.domain.history.envelope import Event
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.values import Parameters

__all__ = [
    "CommitDecided",
    "CompensationAttempted",
    "RetryScheduled",
    "RollbackRequired",
    "SagaCancelled",
    "SagaClaimed",
    "SagaCompensated",
    "SagaCompensationFailed",
    "SagaCompleted",
    "SagaEvent",
    "SagaParked",
    "SagaPaused",
    "SagaResumed",
    "SagaStarted",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
]


@dataclass(frozen=True, slots=True)
class SagaStarted(Event):
    """A saga was started under this definition, and will finish under it."""

    announces_effect: ClassVar[bool] = True

    definition: str
    definition_version: int
    steps: tuple[str, ...]
    parameters: Parameters
    deadline_s: float
    """The limit of the working time on the forward path; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class SagaClaimed(Event):
    """A worker claimed the saga; every earlier owner is fenced off."""

    owner: str
    epoch: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """The intent: the step's action may have effects from now on."""

    announces_effect: ClassVar[bool] = True

    step: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StepCompleted(Event):
    """The step's action returned."""

    step: str
    attempt: int
    output: Parameters
    duration_s: float


@dataclass(frozen=True, slots=True)
class StepFailed(Event):
    """The step's action raised; it may have done part of its work."""

    step: str
    attempt: int
    reason: str
    error: str
    error_type: str
    duration_s: float

    @property
    def failure(self) -> str:
        """The error, with the step."""
        return f"step {self.step} failed: {self.error}"


@dataclass(frozen=True, slots=True)
class RetryScheduled(Event):
    """The step will be tried again, not before a time that survives a restart."""

    step: str
    attempt: int
    """The number of the next attempt."""
    delay_s: float
    not_before_us: int
    """Microseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class RollbackRequired(Event):
    """The forward path has ended and every started step will be undone."""

    reason: str
    message: str
    step: str
    """The step that was running, or an empty string."""

    @property
    def failure(self) -> str:
        """Why the forward path ended."""
        return f"a rollback became necessary: {self.message}"


@dataclass(frozen=True, slots=True)
class CompensationAttempted(Event):
    """One attempt to undo one step, and the result of the probe."""

    step: str
    attempt: int
    removed: int
    residue: tuple[Residue, ...]
    error: str
    """The error that the compensation raised; empty if it raised none."""
    probed: bool
    """Whether a probe has checked the store for residue."""
    duration_s: float

    @property
    def failure(self) -> str:
        """The error of the compensation, and the causes of the residue."""
        left = "; ".join(residue.detail for residue in self.residue if residue.detail)
        causes = " and ".join(filter(None, (self.error, left)))
        return causes and f"step {self.step} could not be undone: {causes}"


@dataclass(frozen=True, slots=True)
class CommitDecided(Event):
    """The point of no return: from here the saga only goes forward."""

    announces_effect: ClassVar[bool] = True

    step: str
    """The step that makes the decision visible, or an empty string."""


@dataclass(frozen=True, slots=True)
class SagaCompleted(Event):
    """Every step is done."""


@dataclass(frozen=True, slots=True)
class SagaCompensated(Event):
    """Every started step was undone, and every probe found no residue."""

    unverified: tuple[str, ...]
    """Steps that were undone but have no probe to prove it."""


@dataclass(frozen=True, slots=True)
class SagaCompensationFailed(Event):
    """The rollback has processed every step, but residue remains."""

    steps: tuple[str, ...]
    """The steps that are not proven undone."""

    @property
    def failure(self) -> str:
        """Which steps are not proven undone."""
        return f"the rollback left something of {', '.join(self.steps)}"


@dataclass(frozen=True, slots=True)
class SagaCancelled(Event):
    """A rollback of the saga was requested."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SagaPaused(Event):
    """A pause was requested: the saga stops and undoes nothing."""

    by: str


@dataclass(frozen=True, slots=True)
class SagaResumed(Event):
    """A resume of a paused or parked saga was requested."""

    by: str


@dataclass(frozen=True, slots=True)
class SagaParked(Event):
    """Repeated recoveries of the saga made no progress; a person must intervene."""

    claims: int
    detail: str

    @property
    def failure(self) -> str:
        """Why no recovery claims it any more."""
        return f"the saga was parked after {self.claims} claims: {self.detail}"


SagaEvent = (
    SagaStarted
    | SagaClaimed
    | StepStarted
    | StepCompleted
    | StepFailed
    | RetryScheduled
    | RollbackRequired
    | CompensationAttempted
    | CommitDecided
    | SagaCompleted
    | SagaCompensated
    | SagaCompensationFailed
    | SagaCancelled
    | SagaPaused
    | SagaResumed
    | SagaParked
)
