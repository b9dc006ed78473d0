"""Sweeping: what a rollback could not remove, or a late writer left, goes once stores answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.upload_undo import delete_chunks
from sagaledger.application.journal import Stamp
from sagaledger.application.orchestrator import Orchestrator
from sagaledger.domain.errors import (
    LeaseHeldError,
    LeaseLostError,
    SagaledgerError,
    StorageBackendError,
    in_words,
)
from sagaledger.domain.events import Event, OrphanFound, OrphanRemoved
from sagaledger.domain.ports import SagaDirectory
from sagaledger.domain.result import SagaExecutionResult
from sagaledger.domain.upload import UploadStatus
from sagaledger.domain.values import DocumentOwner, Residue, SagaStatus, upload_id_of

__all__ = ["SweepReport", "Sweeper"]


@dataclass(slots=True)
class SweepReport:
    """What a sweep found and did."""

    retried: list[SagaExecutionResult] = field(default_factory=list)
    """Rollbacks that were taken up again, as they stand now."""
    removed: list[OrphanRemoved] = field(default_factory=list)
    left: list[OrphanFound] = field(default_factory=list)
    """Orphans that could not be removed."""
    unknown: list[Residue] = field(default_factory=list)
    """Things that no saga in the log explains: listed, never touched."""
    failed: dict[str, str] = field(default_factory=dict)
    """Sagas and stores that could not be swept, and why."""


@dataclass(slots=True)
class Sweeper:
    """Retries failed rollbacks, then holds every store's listing against the log."""

    orchestrator: Orchestrator
    services: IngestionServices
    directory: SagaDirectory
    stamp: Stamp

    def sweep(self) -> SweepReport:
        """Remove what belongs to no live saga and no committed document, and record it."""
        report = SweepReport()
        try:
            self._retry_rollbacks(report)
            for orphan in self._found(report):
                self._remove(orphan, report)
        except Exception as error:
            # The report ends with the sweep; what it told of goes on with the error.
            for subject, cause in report.failed.items():
                error.add_note(f"before that, {subject} could not be swept: {cause}")
            raise
        return report

    def _retry_rollbacks(self, report: SweepReport) -> None:
        for summary in self.directory.unclean_sagas():
            saga = self.services.log.load_saga(summary.saga_id)
            before = saga.residue if saga else ()
            try:
                result = self.orchestrator.drive(summary.saga_id)
            except (LeaseHeldError, LeaseLostError):
                continue
            except SagaledgerError as error:
                report.failed[summary.saga_id.hex] = in_words(error)
                continue
            report.retried.append(result)
            left = {(residue.store, residue.ref) for residue in result.residue}
            gone = [
                OrphanRemoved(summary.saga_id.hex, residue.store, residue.ref, residue.count)
                for residue in before
                if (residue.store, residue.ref) not in left
            ]
            self._record(summary.saga_id, gone)
            report.removed += gone

    def _found(self, report: SweepReport) -> Iterator[OrphanFound]:
        services = self.services
        for store in (services.vectors, services.graph, services.relational, services.manifests):
            try:
                owners = list(store.owners())
            except SagaledgerError as error:
                report.failed[store.name] = in_words(error)
                continue
            for owner in owners:
                yield from self._judge(owner.saga_id, store.name, owner.document_id, report)
        try:
            prefixes = list(services.chunks.prefixes())
        except SagaledgerError as error:
            report.failed[services.chunks.name] = in_words(error)
            return
        for prefix in prefixes:
            saga_id = self._saga_of(UUID(prefix.rstrip("/")))
            yield from self._judge(saga_id, services.chunks.name, prefix, report)

    def _judge(
        self, saga_id: str, store: str, ref: str, report: SweepReport
    ) -> Iterator[OrphanFound]:
        saga = self.services.log.load_saga(UUID(saga_id)) if saga_id else None
        if saga is None:
            report.unknown.append(Residue(store, ref, 1, "no saga in the log explains it"))
        elif saga.status is SagaStatus.COMPENSATED:
            yield OrphanFound(saga_id, store, ref, 1, "left after a completed rollback")
        elif saga.status is SagaStatus.COMPLETED:
            upload = self.services.log.load_upload(upload_id_of(saga.id))
            if (
                upload is not None
                and upload.status is UploadStatus.DISCARDED
                and (not self._is_being_deleted(ref))
            ):
                yield OrphanFound(saga_id, store, ref, 1, "left after the document was deleted")

    def _is_being_deleted(self, document_id: str) -> bool:
        return any(s.status.is_open for s in self.directory.by_document_prefix(document_id))

    def _remove(self, orphan: OrphanFound, report: SweepReport) -> None:
        saga_id = UUID(orphan.saga_id)
        self._record(saga_id, [orphan])
        try:
            removed = self._delete(orphan)
        except SagaledgerError as error:
            report.left.append(orphan)
            report.failed[f"{orphan.store} {orphan.ref}"] = in_words(error)
            return
        gone = OrphanRemoved(orphan.saga_id, orphan.store, orphan.ref, removed)
        self._record(saga_id, [gone])
        report.removed.append(gone)

    def _delete(self, orphan: OrphanFound) -> int:
        services = self.services
        if orphan.store == services.chunks.name:
            deleted = delete_chunks(services.chunks, orphan.ref)
            if deleted.problem:
                raise StorageBackendError(services.chunks.name, "delete", deleted.problem)
            services.chunks.close_prefix(orphan.ref)
            return deleted.count
        owner = DocumentOwner(orphan.ref, orphan.saga_id)
        stores = (services.vectors, services.graph, services.relational, services.manifests)
        (store,) = [s for s in stores if s.name == orphan.store]
        removed = int(store.delete(owner))
        left = store.count(owner)
        if left:
            raise SagaledgerError(f"{left} items of {orphan.ref} are still in {orphan.store}")
        return removed

    def _saga_of(self, upload_id: UUID) -> str:
        for recorded in self.services.log.read_stream(upload_id):
            return str(getattr(recorded.event, "saga_id", ""))
        return ""

    def _record(self, saga_id: UUID, events: Sequence[Event]) -> None:
        if not events:
            return
        stream_id = uuid5(saga_id, "housekeeping")
        version = self.services.log.version_of(stream_id)
        self.services.log.append(self.stamp.envelopes(stream_id, version, 0, events))
