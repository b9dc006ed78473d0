"""Sweeps: remove the residue of rollbacks and of late writers once the stores respond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.orchestrator import Orchestrator
from sagaledger.application.engine.saga_repository import find_saga
from sagaledger.application.housekeeping.notes import Housekeeping
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.upload_undo import delete_chunks
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import SagaledgerError, StorageBackendError, describe
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.housekeeping.events import (
    OrphanFound,
    OrphanRemovalFailed,
    OrphanRemoved,
    OrphanRetryRequested,
)
from sagaledger.domain.housekeeping.orphans import KnownOrphan, OrphanState
from sagaledger.domain.saga.errors import LeaseHeldError, LeaseLostError
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import Residue, SagaStatus
from sagaledger.domain.upload.state import UploadStatus
from sagaledger.domain.upload.values import upload_id_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.orphan_directory import OrphanDirectory
    from sagaledger.domain.ports.saga_directory import SagaDirectory

__all__ = ["SweepOptions", "SweepReport", "Sweeper"]

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """The options of a sweep."""

    grace_s: float = 0.0
    """How long a new orphan is left alone: a late writer may still be at work."""
    only_due: bool = False
    """Skip orphans with a recent attempt; see `next_try_us`."""
    dry_run: bool = False
    """Change nothing and record nothing; the report lists what would be removed."""


@dataclass(slots=True)
class SweepReport:
    """The report of a sweep."""

    retried: list[SagaExecutionResult] = field(default_factory=list)
    """Rollbacks that were retried, with their current state."""
    removed: list[OrphanRemoved] = field(default_factory=list)
    left: list[OrphanFound] = field(default_factory=list)
    """Orphans that could not be removed."""
    waiting: list[OrphanFound] = field(default_factory=list)
    """Orphans whose grace period, or whose wait before the next attempt, is not over."""
    planned: list[OrphanFound] = field(default_factory=list)
    """Orphans that a dry run would remove."""
    adopted: list[OrphanFound] = field(default_factory=list)
    """Adopted orphans: not touched."""
    unknown: list[Residue] = field(default_factory=list)
    """Items that no saga in the log explains: listed, never touched."""
    failed: dict[str, str] = field(default_factory=dict)
    """Sagas and stores that could not be swept, with the reason."""


@dataclass(slots=True)
class Sweeper:
    """Retries failed rollbacks, then compares every store's listing with the log."""

    orchestrator: Orchestrator
    services: IngestionServices
    directory: SagaDirectory
    orphans: OrphanDirectory
    notes: Housekeeping

    def sweep(self, options: SweepOptions | None = None) -> SweepReport:
        """Remove items of no live saga and no committed document, and record the removals."""
        sweep = _Sweep(self, options or SweepOptions(), self.orphans.known())
        return sweep.guarded(sweep.everything)

    def retry(self, orphans: Sequence[KnownOrphan], by: str, reason: str) -> SweepReport:
        """Try now to remove orphans of the list; adopted ones become open again for the sweeps."""
        for orphan in orphans:
            named = (orphan.saga_id, orphan.store, orphan.ref)
            self.notes.note(UUID(orphan.saga_id), [OrphanRetryRequested(*named, by, reason)])
        sweep = _Sweep(self, SweepOptions(), self.orphans.known())
        return sweep.guarded(lambda: sweep.these(orphans))


class _Sweep:
    """One pass over the stores."""

    def __init__(
        self, sweeper: Sweeper, options: SweepOptions, known: Sequence[KnownOrphan]
    ) -> None:
        self._sweeper = sweeper
        self._services = sweeper.services
        self._options = options
        self._known = {(orphan.saga_id, orphan.store, orphan.ref): orphan for orphan in known}
        self._now_us = sweeper.services.clock.now_us()
        self._report = SweepReport()
        self._seen: set[tuple[str, str, str]] = set()

    def guarded(self, work: Callable[[], None]) -> SweepReport:
        try:
            work()
        except Exception as error:
            # The error replaces the report, so it carries the problems of the report as notes.
            for subject, cause in self._report.failed.items():
                error.add_note(f"before that, {subject} could not be swept: {cause}")
            raise
        return self._report

    def everything(self) -> None:
        for summary in self._sweeper.directory.unclean_sagas():
            self._retry_rollback(summary.saga_id)
        for orphan in self._found():
            self._consider(orphan)
        # An earlier removal may have succeeded in a process that died before recording it.
        unseen = [orphan for named, orphan in self._known.items() if named not in self._seen]
        for saga_id, listed in groupby(unseen, lambda orphan: orphan.saga_id):
            saga = find_saga(self._services.log, UUID(saga_id))
            if saga and saga.status in (SagaStatus.COMPENSATED, SagaStatus.COMPLETED):
                for known in listed:
                    self._consider(_found_again(known))

    def these(self, orphans: Sequence[KnownOrphan]) -> None:
        for saga_id in dict.fromkeys(orphan.saga_id for orphan in orphans):
            saga = find_saga(self._services.log, UUID(saga_id))
            if saga and saga.status is SagaStatus.COMPENSATION_FAILED:
                self._retry_rollback(saga.id)
                continue
            for orphan in orphans:
                if orphan.saga_id == saga_id:
                    self._remove(_found_again(orphan))

    def _retry_rollback(self, saga_id: UUID) -> None:
        theirs = [orphan for orphan in self._known.values() if orphan.saga_id == saga_id.hex]
        self._seen.update((orphan.saga_id, orphan.store, orphan.ref) for orphan in theirs)
        if any(orphan.state is OrphanState.ADOPTED for orphan in theirs):
            # The undo of a step would also remove adopted orphans.
            for orphan in theirs:
                self._consider(_found_again(orphan))
        elif theirs and self._options.only_due and all(self._waits(o) for o in theirs):
            self._report.waiting += map(_found_again, theirs)
        elif self._options.dry_run:
            unlisted = OrphanFound(saga_id.hex, "saga", saga_id.hex, 0, "its rollback failed")
            self._report.planned += map(_found_again, theirs) if theirs else [unlisted]
        else:
            self._undo_again(saga_id)

    def _undo_again(self, saga_id: UUID) -> None:
        saga = find_saga(self._services.log, saga_id)
        before = saga.residue if saga else ()
        try:
            result = self._sweeper.orchestrator.drive(saga_id)
        except (LeaseHeldError, LeaseLostError):
            return
        except SagaledgerError as error:
            self._report.failed[saga_id.hex] = describe(error)
            return
        self._report.retried.append(result)
        left = {(residue.store, residue.ref) for residue in result.residue}
        gone = [
            OrphanRemoved(saga_id.hex, residue.store, residue.ref, residue.count)
            for residue in before
            if (residue.store, residue.ref) not in left
        ]
        self._sweeper.notes.note(saga_id, gone)
        self._report.removed += gone

    def _found(self) -> Iterator[OrphanFound]:
        services = self._services
        for store in services.owned_stores:
            try:
                owners = list(store.owners())
            except SagaledgerError as error:
                self._report.failed[store.name] = describe(error)
                continue
            for owner in owners:
                yield from self._judge(owner.saga_id, store.name, owner.document_id)
        try:
            prefixes = list(services.chunks.prefixes())
        except SagaledgerError as error:
            self._report.failed[services.chunks.name] = describe(error)
            return
        for prefix in prefixes:
            saga_id = self._saga_of(UUID(prefix.rstrip("/")))
            yield from self._judge(saga_id, services.chunks.name, prefix)

    def _judge(self, saga_id: str, store: str, ref: str) -> Iterator[OrphanFound]:
        saga = find_saga(self._services.log, UUID(saga_id)) if saga_id else None
        if saga is None:
            unexplained = Residue(store, ref, 1, "no saga in the log explains it")
            self._report.unknown.append(unexplained)
        elif saga.status is SagaStatus.COMPENSATED:
            yield OrphanFound(saga_id, store, ref, 1, "left after a completed rollback")
        elif saga.status is SagaStatus.COMPLETED:
            upload = self._services.upload_repository.find(upload_id_of(saga.id))
            if (
                upload is not None
                and upload.status is UploadStatus.DISCARDED
                and not self._is_being_deleted(ref)
            ):
                yield OrphanFound(saga_id, store, ref, 1, "left after the document was deleted")

    def _is_being_deleted(self, document_id: str) -> bool:
        about = self._sweeper.directory.by_document_prefix(document_id)
        return any(summary.status.is_open for summary in about)

    def _consider(self, orphan: OrphanFound) -> None:
        named = (orphan.saga_id, orphan.store, orphan.ref)
        self._seen.add(named)
        known = self._known.get(named)
        if known and known.state is OrphanState.ADOPTED:
            self._report.adopted.append(orphan)
            return
        if known is None and not self._options.dry_run:
            self._sweeper.notes.note(UUID(orphan.saga_id), [orphan])
        since_us = known.since_us if known else self._now_us
        if self._now_us - since_us < self._options.grace_s * _US or (
            known and self._options.only_due and self._waits(known)
        ):
            self._report.waiting.append(orphan)
        elif self._options.dry_run:
            self._report.planned.append(orphan)
        else:
            self._remove(orphan)

    def _waits(self, orphan: KnownOrphan) -> bool:
        return orphan.state is not OrphanState.ADOPTED and orphan.next_try_us > self._now_us

    def _remove(self, orphan: OrphanFound) -> None:
        saga_id = UUID(orphan.saga_id)
        named = (orphan.saga_id, orphan.store, orphan.ref)
        try:
            removed = self._delete(orphan)
        except SagaledgerError as error:
            self._report.left.append(orphan)
            self._report.failed[f"{orphan.store} {orphan.ref}"] = describe(error)
            self._sweeper.notes.note(saga_id, [OrphanRemovalFailed(*named, describe(error))])
            return
        gone = OrphanRemoved(*named, removed)
        self._sweeper.notes.note(saga_id, [gone])
        self._report.removed.append(gone)

    def _delete(self, orphan: OrphanFound) -> int:
        services = self._services
        if orphan.store == services.chunks.name:
            return self._delete_chunks(orphan.ref)
        owner = DocumentOwner(orphan.ref, orphan.saga_id)
        store = next((s for s in services.owned_stores if s.name == orphan.store), None)
        if store is None:
            raise SagaledgerError(f"{orphan.ref} in {orphan.store}: only its own saga can undo it")
        removed = int(store.delete(owner))
        left = store.count(owner)
        if left:
            raise SagaledgerError(f"{left} items of {orphan.ref} are still in {orphan.store}")
        return removed

    def _delete_chunks(self, ref: str) -> int:
        chunks = self._services.chunks
        if not ref.endswith("/"):
            removed = chunks.delete(ref)
            chunks.flush(f"{ref.rpartition('/')[0]}/")
            return int(removed)
        deleted = delete_chunks(chunks, ref)
        if deleted.problem:
            raise StorageBackendError(chunks.name, "delete", deleted.problem)
        chunks.close_prefix(ref)
        return deleted.count

    def _saga_of(self, upload_id: UUID) -> str:
        for recorded in events_of(self._services.log.read_stream(upload_id)):
            return str(getattr(recorded.event, "saga_id", ""))
        return ""


def _found_again(orphan: KnownOrphan) -> OrphanFound:
    return OrphanFound(orphan.saga_id, orphan.store, orphan.ref, 1, "left by a rollback")
