"""Sagas and uploads with any history there can be: real decisions, recorded by the real journal.

A seeded jitter plays the world: what a step comes to, when a worker dies, what people ask for. All
events are decided on the live state, which `saga` and `upload` hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias
from uuid import UUID, uuid5

from hypothesis import strategies as st
from sagaledger.application.engine.control import SagaControl
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.journal import SagaJournal
from sagaledger.application.engine.saga_repository import find_saga
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.housekeeping.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRulesSet,
    OrphanAdopted,
    OrphanFound,
    OrphanRemovalFailed,
    OrphanRemoved,
    OrphanRetryRequested,
    OrphanWaived,
)
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.saga.decisions import (
    Compensate,
    RunStep,
    WaitForRetry,
    begin_retry,
    claim_saga,
    complete_step,
    fail_step,
    next_action,
    require_rollback,
    start_saga,
)
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep
from sagaledger.domain.saga.errors import SagaStateError
from sagaledger.domain.saga.events import CompensationAttempted, SagaEvent
from sagaledger.domain.saga.state import Saga, fold_saga
from sagaledger.domain.saga.values import Residue, RollbackReason, SagaStatus
from sagaledger.domain.upload.chunk_table import DIGEST_BYTES
from sagaledger.domain.upload.errors import SourceNotFoundError
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    ChunksDeleted,
    ChunkWritten,
    UploadEvent,
    UploadStarted,
)
from sagaledger.domain.upload.state import (
    ReadBack,
    Upload,
    UploadStatus,
    complete_upload,
    discard_upload,
    fold_upload,
    interrupt_upload,
    judge_integrity,
    resume_upload,
)
from sagaledger.domain.upload.values import SourceFingerprint, upload_id_of, upload_prefix_of
from sagaledger.domain.values import Value
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.testing import ManualClock

from tests.support.specification import step

__all__ = ["DrivenSaga", "definitions", "ticking_clock"]

_CHUNK_BYTES = 10
_REQUESTS = 0.25
"""How often somebody asks for something."""
_BUSY = StorageBackendError("vector", "upsert", "timeout")

_Move: TypeAlias = Callable[[], None]


def ticking_clock() -> ManualClock:
    """A clock that each question moves on by a second."""
    return ManualClock(us=1_717_243_200_000_000, tick_us=1_000_000)


@st.composite
def definitions(draw: st.DrawFn) -> SagaDefinition:
    """One to four steps of any shape, with or without a pivot."""
    names = ("start", "secure", "vector", "notify")[: draw(st.integers(1, 4))]
    steps = [
        step(
            name,
            tries=draw(st.integers(1, 2)),
            undo=draw(st.booleans()),
            probe=draw(st.booleans()),
            undo_tries=draw(st.integers(1, 2)),
        )
        for name in names
    ]
    return SagaDefinition("any", steps, pivot=draw(st.sampled_from(["", *names])))


@dataclass(slots=True)
class DrivenSaga:
    """One saga with its upload, its present owner, and whoever asks something of it."""

    log: EventStore
    id: UUID
    definition: SagaDefinition
    clock: ManualClock
    jitter: Random
    journal: SagaJournal = field(init=False)
    upload: Upload | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        parameters: dict[str, Value] = {
            "source": "/data/ä.pdf",
            "document_id": "",
            "tries": [1, 2.5, None, b"x"],
        }
        begun = self._stamp.envelopes(
            self.id, 0, 0, start_saga(self.definition, parameters, deadline_s=60.0)
        )
        saga = fold_saga(None, begun)
        assert saga is not None
        self._claim(saga, begun)

    @property
    def saga(self) -> Saga:
        """The live saga, as its owner holds it."""
        return self.journal.saga

    def go_on(self) -> None:
        """Something happens that may happen now."""
        self.jitter.choice(self._moves())()

    def go_on_uploading(self) -> None:
        """Something happens to the upload that may happen now."""
        upload_id = upload_id_of(self.id)
        version = self.upload.version if self.upload else 0
        events = self._upload_events()
        if events:
            recorded = self.journal.append(upload_id, version, events)
            self.upload = fold_upload(self.upload, recorded)

    def be_noted(self) -> None:
        """A sweep, or somebody who reads alerts, leaves a note."""
        notes: list[Event] = [
            OrphanFound(self.id.hex, "vector", "doc-1", 3, "late write"),
            OrphanRemoved(self.id.hex, "vector", "doc-1", 3),
            OrphanRemovalFailed(self.id.hex, "vector", "doc-1", "down"),
            OrphanRetryRequested(self.id.hex, "vector", "doc-1", "ann", "up again"),
            OrphanAdopted(self.id.hex, "vector", "doc-1", "ann", "mine"),
            OrphanWaived(self.id.hex, "vector", "doc-1", "ann", "gone for good"),
            AlertAcknowledged(f"rollback_failed:{self.id.hex}", "ann", ""),
            AlertRulesSet({"rollback_failed": {"severity": "warning"}}, "ann"),
            AlertRulesSet({"saga_stuck": {"severity": "warning", "older_than_s": 1.0}}, "ann"),
            AlertRaised("saga_stuck:1", "saga_stuck", "warning", "1", "nothing happens"),
            AlertResolved("saga_stuck:1", "it goes on"),
            AlertResolved(f"rollback_failed:{self.id.hex}", "waived"),
        ]
        stream = uuid5(self.id, "housekeeping")
        version = self.log.last_version(stream)
        self.log.append(self._stamp.envelopes(stream, version, 0, [self.jitter.choice(notes)]))

    @property
    def _stamp(self) -> EnvelopeFactory:
        return EnvelopeFactory(self.clock, "worker")

    def _claim(self, saga: Saga, unstored: Sequence[RecordedEvent] = ()) -> None:
        self.journal = SagaJournal(
            self.log, self._stamp, self.definition, saga, NoBallast(), unstored
        )
        self.journal.claim(lambda s: claim_saga(s, f"worker-{s.epoch + 1}", 30.0))

    def _moves(self) -> list[_Move]:
        saga, definition = self.saga, self.definition
        moves: list[_Move] = []
        if self.jitter.random() < _REQUESTS:
            moves += [self._cancel, self._pause]
        if saga.paused or not saga.status.is_open:
            moves.append(self._resume)
        if saga.status.is_open or saga.status is SagaStatus.COMPENSATION_FAILED:
            moves.append(self._crash_and_be_taken_over)
        match next_action(saga, definition):
            case RunStep(name):
                done = self._recording(lambda s: complete_step(s, name, self._output(name), 0.5))
                # Often, so that sagas come on.
                moves += [done, done, done, self._failing(name, _BUSY)]
                moves.append(self._failing(name, SourceNotFoundError("a")))
            case WaitForRetry():
                late = RollbackReason.DEADLINE_EXCEEDED
                moves += [
                    self._recording(begin_retry),
                    self._recording(lambda s: require_rollback(s, late, "too late")),
                ]
            case Compensate(name, attempt):
                moves += [
                    self._recording(lambda _, outcome=outcome: [outcome])
                    for outcome in _undo_outcomes(definition.step(name), attempt)
                ]
        return moves

    def _recording(self, decision: Callable[..., list[SagaEvent]]) -> _Move:
        return lambda: self.journal.record(decision)

    def _failing(self, name: str, error: Exception) -> _Move:
        def decide(saga: Saga) -> list[SagaEvent]:
            return fail_step(
                saga,
                self.definition,
                name,
                error,
                duration_s=0.5,
                now_us=self.clock.now_us(),
                jitter=self.jitter.random(),
            )

        return self._recording(decide)

    def _output(self, name: str) -> dict[str, Value]:
        return {"document_id": f"doc-{self.id.hex}"} if name == "secure" else {"rows": [1, "ä"]}

    def _crash_and_be_taken_over(self) -> None:
        stored = find_saga(self.log, self.id)
        assert stored is not None
        self._claim(stored)

    def _cancel(self) -> None:
        self._ask(lambda control: control.cancel(self.id, "ann", "wrong file"))

    def _pause(self) -> None:
        self._ask(lambda control: control.pause(self.id, "ann"))

    def _resume(self) -> None:
        self._ask(lambda control: control.resume(self.id, "ann"))

    def _ask(self, request: Callable[[SagaControl], Saga]) -> None:
        with suppress(SagaStateError):
            request(SagaControl(self.log, self._stamp))
        # The owner sees it at its next checkpoint.
        self.journal.refresh()

    def _upload_events(self) -> Sequence[UploadEvent]:
        upload = self.upload
        if upload is None:
            return [self._opened()]
        choices: list[Sequence[UploadEvent]] = [
            [ChunkDeletionFailed(f"{upload.key_prefix}00000000", "busy")],
            [ChunksDeleted(upload.chunks.known, upload.chunks.stored_bytes)],
        ]
        if self.jitter.random() < _REQUESTS:
            choices = [discard_upload(upload, "rolled back")]
        missing = upload.chunks.missing()
        if missing and upload.status is UploadStatus.OPEN:
            choices += [self._chunks(upload, missing), self._chunks(upload, missing)]
        if upload.status is UploadStatus.OPEN:
            choices.append(interrupt_upload(upload, "StorageBackendError", "timeout"))
        if upload.status in (UploadStatus.OPEN, UploadStatus.INTERRUPTED):
            known = [chunk.index for chunk in upload.chunks]
            choices.append(resume_upload(upload, known[: self.jitter.randint(0, 2)]))
        if upload.status is UploadStatus.OPEN and not missing:
            choices = [complete_upload(upload, bytes(32))]
        if upload.status is UploadStatus.COMPLETED:
            choices = [self._verdict(upload)]
        return self.jitter.choice(choices)

    def _opened(self) -> UploadStarted:
        size = self.jitter.randint(0, 120)
        upload_id = upload_id_of(self.id)
        return UploadStarted(
            self.id.hex,
            "/data/ä.pdf",
            SourceFingerprint(size, 1_717_243_200_123_456_789, self.jitter.randint(1, 3), 65_024),
            _CHUNK_BYTES,
            -(-size // _CHUNK_BYTES),
            upload_prefix_of(upload_id),
            "chunks",
            "zstd",
        )

    def _chunks(self, upload: Upload, missing: Sequence[int]) -> list[UploadEvent]:
        sent = self.jitter.sample(missing, self.jitter.randint(1, len(missing)))
        return [
            ChunkWritten(
                index,
                self.jitter.randbytes(DIGEST_BYTES),
                self.jitter.randint(0, 2**32),
                self.jitter.choice(["raw", "zstd"]),
                upload.attempt,
            )
            for index in sent
        ]

    def _verdict(self, upload: Upload) -> list[UploadEvent]:
        count = self.jitter.choice([upload.layout.count, 0])
        found = ReadBack(count, upload.layout.size_bytes, upload.sha256, (), "", "memory")
        return [judge_integrity(upload, found)]


def _undo_outcomes(tried: SagaStep, attempt: int) -> list[CompensationAttempted]:
    """What an undo of this step can come to, the clean one first."""
    outcomes = [
        CompensationAttempted(tried.name, attempt, 2, (), error, tried.residue is not None, 0.25)
        for error in ("", "busy")
    ]
    residue = (Residue(tried.name, "doc-1", 3), Residue(tried.name, "doc-2", 1, "10 bytes"))
    left = CompensationAttempted(tried.name, attempt, 1, residue, "busy", True, 0.25)
    unanswered = CompensationAttempted(tried.name, attempt, 0, residue[1:], "", False, 0.25)
    return [*outcomes, left, unanswered]
