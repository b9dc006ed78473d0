"""Checks each guarantee after a case, from the raw events of the log and the stores' content.

The checks do not use the code under test: they neither fold events nor trust a projection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.housekeeping.events import OrphanFound, OrphanRemoved
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RollbackRequired,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaEvent,
    SagaParked,
    SagaStarted,
    StepStarted,
)
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import (
    IntegrityFailed,
    IntegrityVerified,
    UploadDiscarded,
    UploadStarted,
)
from sagaledger.domain.upload.values import upload_id_of, upload_prefix_of
from sagaledger.interface.certification.fact_check import differing_facts
from sagaledger.interface.certification.guarantees import Guarantee

__all__ = ["Finding", "Oracle", "SourceFacts", "source_facts"]

_ENDS = (SagaCompleted, SagaCompensated, SagaCompensationFailed, SagaParked)

Finding: TypeAlias = tuple[Guarantee, str]
"""A violated guarantee, and the evidence."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The state of a source file before a case."""

    sha256: str
    modified_ns: int


def source_facts(path: Path) -> SourceFacts:
    """The digest and the time of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFacts(digest, path.stat().st_mtime_ns)


@dataclass(slots=True)
class _History:
    """The raw events of one saga and its upload, in the order of the log."""

    saga_id: UUID
    events: list[tuple[int, Event]] = field(default_factory=list)

    def of(self, *kinds: type[Event]) -> list[Event]:
        return [event for _, event in self.events if isinstance(event, kinds)]

    @property
    def started(self) -> SagaStarted:
        (started,) = self.of(SagaStarted)
        assert isinstance(started, SagaStarted)
        return started

    @property
    def definition(self) -> str:
        return self.started.definition

    @property
    def makes_document(self) -> bool:
        """Whether it is an ingestion, shipped or with steps of a user's own between."""
        return {"verify", "secure", "finalize"} <= set(self.started.steps)

    @property
    def stores(self) -> tuple[str, ...]:
        """The downstream stores that the saga writes to, or empties."""
        return StoreList.from_stored(self.started.parameters).names

    @property
    def end(self) -> Event | None:
        """The last event that ended the saga, or None while it is open."""
        end: Event | None = None
        for _, event in self.events:
            if isinstance(event, _ENDS):
                end = event
            elif isinstance(event, SagaEvent):
                end = None
        return end


class Oracle:
    """Checks one moment: it reads the log and the stores' listings once."""

    def __init__(self, services: IngestionServices, *, alone: bool) -> None:
        """Read the log and the listings through these adapters.

        Args:
            services: the adapters, without interceptors.
            alone: whether no other program uses these stores.
        """
        self._services = services
        self._alone = alone
        self._recorded = _all_events(services)
        self._histories = _histories(self._recorded)
        self._owners = {store.name: set(store.owners()) for store in services.owned_stores}
        self._prefixes = set(services.chunks.prefixes())

    def left_now(self) -> set[tuple[str, str]]:
        """The store and reference of every item of sagas that ended without a commit."""
        left: set[tuple[str, str]] = set()
        for history in self._histories.values():
            if history.end is not None and not self._must_remain(history):
                left |= self._held(history)
        return left

    def of_the_gate(self) -> Iterator[Finding]:
        """G1: downstream steps started only after the upload was verified."""
        for history in self._histories.values():
            verified = False
            downstream = {"secure", *history.stores, "finalize"}
            for _, event in history.events:
                if isinstance(event, IntegrityVerified | IntegrityFailed):
                    verified = isinstance(event, IntegrityVerified)
                elif (
                    isinstance(event, StepStarted)
                    and event.step in downstream
                    and history.makes_document
                    and not verified
                ):
                    yield Guarantee.G1, f"step {event.step} began on an upload not verified"

    def of_all_or_nothing(self, source: SourceFacts | None) -> Iterator[Finding]:
        """G2, G5: every document is complete with the source's content, or completely absent."""
        visible = {d.saga_id: d for d in self._services.relational.documents(100_000)}
        leaving = set(self._being_deleted())
        for history in self._histories.values():
            if not history.makes_document or history.saga_id.hex in leaving:
                continue
            document = visible.get(history.saga_id.hex)
            if self._must_remain(history):
                yield from self._check_document(history, document, source)
            elif document is not None and not history.of(CommitDecided):
                yield Guarantee.G2, f"{document.document_id} is visible without a commit"

    def of_failures(self, raised: Mapping[str, str], reported: str) -> Iterator[Finding]:
        """G3: the message of each raised failure is in an event or was reported to a caller."""
        text = reported + repr([recorded.event for recorded in self._recorded])
        for message, where in raised.items():
            if message not in text:
                yield Guarantee.G3, f"the failure of {where} was silent"

    def of_residue(self, listed: set[tuple[str, str]]) -> Iterator[Finding]:
        """G3: the residue of ended sagas is on the orphan list."""
        for store, ref in sorted(self.left_now()):
            prefix = ref.partition("/")[0] + "/"
            if (store, ref) not in listed and (store, prefix) not in listed:
                yield Guarantee.G3, f"{ref} is left in {store} and not on the orphan list"

    def of_rollbacks(self) -> Iterator[Finding]:
        """G4: every rollback undid all started steps in reverse order, and reported correctly."""
        for history in self._histories.values():
            yield from _check_undo_order(history)
            if isinstance(history.end, SagaCompensated) and self._held(history):
                late = {e.ref for _, e in history.events if isinstance(e, OrphanFound)}
                for store, ref in sorted(self._held(history)):
                    if ref not in late:
                        yield Guarantee.G4, f"compensated, yet {store} holds {ref}"

    def of_facts(self) -> Iterator[Finding]:
        """G9: what documents tell of themselves is what their sagas did."""
        for difference in differing_facts(self._recorded):
            yield Guarantee.G9, difference

    def of_recovery(self) -> Iterator[Finding]:
        """G6: no saga is open, and every chunk belongs to a recorded upload."""
        for history in self._histories.values():
            if history.end is None:
                yield Guarantee.G6, f"saga {history.saga_id.hex} is still open"
        known = {upload_prefix_of(upload_id_of(saga_id)) for saga_id in self._histories}
        for prefix in self._prefixes - known:
            if self._alone:
                yield Guarantee.G6, f"chunks under {prefix} belong to no upload of the log"

    def of_outcomes(self, untouched: Sequence[DocumentRecord]) -> Iterator[Finding]:
        """G7: each saga has one outcome, and the documents of others are unchanged."""
        for history in self._histories.values():
            decided = history.of(CommitDecided)
            if len(decided) > 1 or (decided and history.of(RollbackRequired)):
                yield Guarantee.G7, f"saga {history.saga_id.hex} has more than one outcome"
            if len(history.of(SagaCompleted)) > 1:
                yield Guarantee.G7, f"saga {history.saga_id.hex} was completed twice"
        for document in untouched:
            (history,) = [h for h in self._histories.values() if h.saga_id.hex == document.saga_id]
            visible = self._services.relational.find(document.document_id)
            for _, shown in self._check_document(history, visible[0] if visible else None, None):
                yield Guarantee.G7, f"another document suffered: {shown}"

    def of_sweeping(self, unresolved: Sequence[str]) -> Iterator[Finding]:
        """G8: no residue is left, no orphan is listed, and each removal is recorded."""
        for store, ref in sorted(self.left_now()):
            yield Guarantee.G8, f"{ref} is still in {store} after the sweep"
        for ref in unresolved:
            yield Guarantee.G8, f"{ref} is still on the orphan list after the sweep"
        found = {(e.store, e.ref) for e in self._of_kind(OrphanFound)}
        removed = {(e.store, e.ref) for e in self._of_kind(OrphanRemoved)}
        for store, ref in sorted(found - removed):
            yield Guarantee.G8, f"the removal of {ref} from {store} is not recorded"

    def _of_kind(self, kind: type[OrphanFound] | type[OrphanRemoved]) -> list[OrphanFound]:
        return [r.event for r in self._recorded if isinstance(r.event, kind)]  # type: ignore[misc]  # Both have the fields in use.

    def _being_deleted(self) -> Iterator[str]:
        """The sagas whose documents an open deletion is about to remove."""
        for history in self._histories.values():
            if history.definition == "delete-document" and history.end is None:
                yield str(history.started.parameters["owner_saga_id"])

    def _must_remain(self, history: _History) -> bool:
        """Whether the saga's document or upload must remain."""
        return bool(history.of(SagaCompleted)) and not history.of(UploadDiscarded)

    def _held(self, history: _History) -> set[tuple[str, str]]:
        held = {
            (store, owner.document_id)
            for store, owners in self._owners.items()
            for owner in owners
            if owner.saga_id == history.saga_id.hex
        }
        chunks = self._services.chunks
        prefix = upload_prefix_of(upload_id_of(history.saga_id))
        if prefix not in self._prefixes:
            return held
        found = {(chunks.name, chunk.key) for chunk in chunks.list(prefix)}
        return held | (found or {(chunks.name, prefix)})

    def _check_document(
        self, history: _History, document: DocumentRecord | None, source: SourceFacts | None
    ) -> Iterator[Finding]:
        services = self._services
        if document is None:
            yield Guarantee.G2, f"saga {history.saga_id.hex} committed, and nothing is visible"
            return
        owner = DocumentOwner(document.document_id, document.saga_id)
        counts = {services.manifests.name: (services.manifests.count(owner), 1)}
        for store in map(services.downstream_store, history.stores):
            counts[store.name] = (store.count(owner), store.expected(document))
        for name, (held, expected) in counts.items():
            if held != expected:
                yield Guarantee.G2, f"{owner.document_id}: {name} holds {held} of {expected}"
        digest = self._digest(history, document.chunk_count)
        if digest != document.sha256:
            yield Guarantee.G2, f"{owner.document_id}: its chunks differ from its digest"
        if source is not None and digest != source.sha256:
            yield Guarantee.G5, f"{owner.document_id}: committed, but differs from the source"

    def _digest(self, history: _History, chunk_count: int) -> str:
        prefix = upload_prefix_of(upload_id_of(history.saga_id))
        whole = hashlib.sha256()
        for index in range(chunk_count):
            with self._services.chunks.open(chunk_key(prefix, index)) as chunk:
                whole.update(chunk.read())
        return whole.hexdigest()


def _all_events(services: IngestionServices) -> list[RecordedEvent]:
    recorded: list[RecordedEvent] = []
    while runs := services.log.read_log(recorded[-1].position if recorded else 0, 1000):
        recorded += events_of(runs)
    return recorded


def _histories(recorded: Sequence[RecordedEvent]) -> dict[UUID, _History]:
    histories = {
        item.originator_id: _History(item.originator_id)
        for item in recorded
        if isinstance(item.event, SagaStarted)
    }
    saga_of = {saga_id: saga_id for saga_id in histories}
    for item in recorded:
        event = item.event
        if isinstance(event, UploadStarted):
            saga_of[item.originator_id] = UUID(event.saga_id)
        if isinstance(event, OrphanFound | OrphanRemoved):
            histories[UUID(event.saga_id)].events.append((item.position, event))
        elif item.originator_id in saga_of:
            history = histories[saga_of[item.originator_id]]
            history.events.append((item.position, event))
    return histories


def _check_undo_order(history: _History) -> Iterator[Finding]:
    order = {step: number for number, step in enumerate(history.started.steps)}
    with_traces = {"start", "upload", "secure", *history.stores}
    begun: set[str] = set()
    tried: list[str] = []
    for _, event in history.events:
        if isinstance(event, StepStarted):
            begun.add(event.step)
        elif isinstance(event, CompensationAttempted):
            if tried and order[event.step] > order[tried[-1]]:
                yield Guarantee.G4, f"step {event.step} was undone after step {tried[-1]}"
            tried.append(event.step)
        elif isinstance(event, SagaCompensated | SagaCompensationFailed):
            missed = (begun & with_traces) - _undo_attempts(history)
            for step in sorted(missed):
                yield Guarantee.G4, f"step {step} was begun and its undo never tried"
            tried.clear()


def _undo_attempts(history: _History) -> set[str]:
    return {e.step for _, e in history.events if isinstance(e, CompensationAttempted)}
