"""Every fact the log can hold, in the past tense, and the envelope it is stored in.

A stored event type is never changed: a new field or meaning is a new version with an upcaster in
the codec. Fields are stored by position, so their order is part of the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sagaledger.domain.values import Parameters, Residue, SourceFingerprint

__all__ = [
    "AlertAcknowledged",
    "AlertRaised",
    "AlertResolved",
    "AlertRulesSet",
    "ChunkDeletionFailed",
    "ChunkWritten",
    "ChunksDeleted",
    "CommitDecided",
    "CompensationAttempted",
    "Event",
    "HousekeepingEvent",
    "IntegrityFailed",
    "IntegrityVerified",
    "OrphanAdopted",
    "OrphanFound",
    "OrphanRemovalFailed",
    "OrphanRemoved",
    "OrphanRetryRequested",
    "OrphanWaived",
    "Recorded",
    "RetryScheduled",
    "RollbackRequired",
    "SagaCancelled",
    "SagaClaimed",
    "SagaCompensated",
    "SagaCompensationFailed",
    "SagaCompleted",
    "SagaEvent",
    "SagaPaused",
    "SagaResumed",
    "SagaSetAside",
    "SagaStarted",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
    "UploadCompleted",
    "UploadDiscarded",
    "UploadEvent",
    "UploadInterrupted",
    "UploadResumed",
    "UploadStarted",
]


@dataclass(frozen=True, slots=True)
class UploadStarted:
    """An upload was opened; from here on its prefix may hold chunks."""

    saga_id: str
    source: str
    fingerprint: SourceFingerprint
    chunk_size_bytes: int
    chunk_count: int
    key_prefix: str
    store: str
    compression: str
    """`none` or `zstd`."""


@dataclass(frozen=True, slots=True)
class ChunkWritten:
    """A chunk is durable in the chunk store."""

    index: int
    sha256: bytes
    """Of the plain bytes, before compression."""
    stored_bytes: int
    encoding: str
    """`raw` or `zstd`."""
    attempt: int


@dataclass(frozen=True, slots=True)
class UploadInterrupted:
    """An attempt to send the chunks ended early: failed, paused, stopped, or about to be undone."""

    attempt: int
    cause: str
    detail: str
    chunks_written: int


@dataclass(frozen=True, slots=True)
class UploadResumed:
    """A worker goes on from the chunks that the log knows; earlier workers are fenced off."""

    attempt: int
    chunks_known: int
    lost_chunks: tuple[int, ...]
    """Indexes that the log knew but the store no longer holds: they are sent again."""


@dataclass(frozen=True, slots=True)
class UploadCompleted:
    """Every chunk is durable."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """Of the whole file, as it was read."""
    chunk_list_root: bytes


@dataclass(frozen=True, slots=True)
class IntegrityVerified:
    """Every chunk was read back from the store, and all checks agreed."""

    chunk_count: int
    size_bytes: int
    sha256: bytes
    """Of the whole file, as it was read back."""
    chunk_list_root: bytes
    read_from: str
    """How real the read was: what the store says of its reads."""


@dataclass(frozen=True, slots=True)
class IntegrityFailed:
    """A check did not hold, or could not be carried out."""

    check: str
    """`chunk`, `count`, `size`, `hash`, `source` or `unverifiable`."""
    expected: str
    actual: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChunksDeleted:
    """Chunks under the upload's prefix were removed and are no longer listed."""

    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ChunkDeletionFailed:
    """A chunk could not be removed."""

    key: str
    error: str


@dataclass(frozen=True, slots=True)
class UploadDiscarded:
    """The upload was given up and its prefix is empty."""

    cause: str


@dataclass(frozen=True, slots=True)
class SagaStarted:
    """A saga began under this definition, and will finish under it."""

    definition: str
    definition_version: int
    steps: tuple[str, ...]
    parameters: Parameters
    deadline_s: float
    """How long the forward path may be worked on; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class SagaClaimed:
    """A worker took the saga; every earlier owner is fenced off."""

    owner: str
    epoch: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The intent: the step's action may touch the world from now on."""

    step: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """The step's action returned."""

    step: str
    attempt: int
    output: Parameters
    duration_s: float


@dataclass(frozen=True, slots=True)
class StepFailed:
    """The step's action raised; it may have done part of its work."""

    step: str
    attempt: int
    reason: str
    error: str
    error_type: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The step will be tried again, not before a moment that survives a restart."""

    step: str
    attempt: int
    """The attempt to come."""
    delay_s: float
    not_before_us: int
    """Microseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class RollbackRequired:
    """The forward path has ended and every step begun will be undone."""

    reason: str
    message: str
    step: str
    """The step that was running, or an empty string."""


@dataclass(frozen=True, slots=True)
class CompensationAttempted:
    """One try to undo one step, and what the store said afterwards."""

    step: str
    attempt: int
    removed: int
    residue: tuple[Residue, ...]
    error: str
    """Empty if the compensation itself raised nothing."""
    probed: bool
    """Whether the store was asked what is left."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class CommitDecided:
    """The point of no return: from here the saga only goes forward."""

    step: str
    """The step that makes the decision visible, or an empty string."""


@dataclass(frozen=True, slots=True)
class SagaCompleted:
    """Every step is done."""


@dataclass(frozen=True, slots=True)
class SagaCompensated:
    """Everything begun was undone, and every probe came back empty."""

    unverified: tuple[str, ...]
    """Steps that were undone but have no probe to prove it."""


@dataclass(frozen=True, slots=True)
class SagaCompensationFailed:
    """The rollback reached its last step, but something is left."""

    steps: tuple[str, ...]
    """The steps that are not proven undone."""


@dataclass(frozen=True, slots=True)
class SagaCancelled:
    """Somebody asked for the saga to be rolled back."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SagaPaused:
    """Somebody asked for the saga to stop where it is, undoing nothing."""

    by: str


@dataclass(frozen=True, slots=True)
class SagaResumed:
    """Somebody asked for a paused or set-aside saga to go on."""

    by: str


@dataclass(frozen=True, slots=True)
class SagaSetAside:
    """The saga ended its recoveries again and again without progress; a person must look."""

    claims: int
    detail: str


@dataclass(frozen=True, slots=True)
class OrphanFound:
    """A store holds something that belongs to no live saga and no committed document."""

    saga_id: str
    store: str
    ref: str
    count: int
    cause: str


@dataclass(frozen=True, slots=True)
class OrphanRemoved:
    """An orphan is gone, and the store confirmed it."""

    saga_id: str
    store: str
    ref: str
    removed: int


@dataclass(frozen=True, slots=True)
class OrphanRemovalFailed:
    """A sweep could not remove an orphan."""

    saga_id: str
    store: str
    ref: str
    error: str


@dataclass(frozen=True, slots=True)
class OrphanRetryRequested:
    """Somebody asked for an orphan to be removed now."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanAdopted:
    """Somebody takes care of an orphan from here on: it stays, and no sweep touches it."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrphanWaived:
    """Somebody accepted that an orphan is left; a sweep that can remove it still does."""

    saga_id: str
    store: str
    ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertRulesSet:
    """From here on alerts follow these rules."""

    rules: Parameters
    """By the rule's name its severity, and its limits; a rule that is not named is off."""
    by: str


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """Somebody looked and found what no single event says: a limit is exceeded."""

    alert_id: str
    """The rule and the subject."""
    rule: str
    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """What an alert was raised for holds no more."""

    alert_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class AlertAcknowledged:
    """Somebody saw an alert."""

    alert_id: str
    by: str
    note: str


UploadEvent = (
    UploadStarted
    | ChunkWritten
    | UploadInterrupted
    | UploadResumed
    | UploadCompleted
    | IntegrityVerified
    | IntegrityFailed
    | ChunksDeleted
    | ChunkDeletionFailed
    | UploadDiscarded
)
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
    | SagaSetAside
)
HousekeepingEvent = (
    OrphanFound
    | OrphanRemoved
    | OrphanRemovalFailed
    | OrphanRetryRequested
    | OrphanAdopted
    | OrphanWaived
    | AlertRulesSet
    | AlertRaised
    | AlertResolved
    | AlertAcknowledged
)
Event = UploadEvent | SagaEvent | HousekeepingEvent


class Recorded(NamedTuple):
    """An event with its place in the log: the domain event of the `eventsourcing` library."""

    originator_id: UUID
    """The saga, upload or housekeeping stream the event belongs to."""
    originator_version: int
    """Its number in that stream, from 1."""
    at_us: int
    """Wall time in microseconds since the epoch; for people, never for order."""
    worker: str
    """The worker that recorded it."""
    epoch: int
    """The claim under which it was recorded; 0 where no claim was needed."""
    event: Event
    position: int = 0
    """Its number in the whole log, from 1; 0 before it is stored or where it was not asked for."""
