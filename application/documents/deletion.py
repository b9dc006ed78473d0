"""Deleting a document: a saga of its own that only goes forward, checked store by store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.upload_undo import delete_chunks
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.definition import SagaDefinition, SagaStep, StepContext
from sagaledger.domain.saga.retry import RetryPolicy
from sagaledger.domain.upload.events import ChunksDeleted, UploadDiscarded, UploadEvent
from sagaledger.domain.upload.values import upload_prefix_of
from sagaledger.domain.values import Parameters, Value

__all__ = [
    "DELETION",
    "DELETION_VERSION",
    "build_chunk_removal_step",
    "build_deletion_definition",
    "deletion_parameters",
]

DELETION = "delete-document"
DELETION_VERSION = 1
_RETRY = RetryPolicy(max_attempts=3, delay_s=1.0)


def deletion_parameters(document: DocumentRecord) -> dict[str, Value]:
    """What a deletion is started with."""
    return {
        "document_id": document.document_id,
        "owner_saga_id": document.saga_id,
        "upload_id": document.upload_id,
        "source": document.source_name,
    }


def build_deletion_definition(services: IngestionServices) -> SagaDefinition:
    """Hide the document from readers, then empty one store after the other.

    The first step is the pivot: once readers no longer see it, there is no way back. The
    relational rows go last, for they are what a recovery finds the rest by.
    """
    remove = _Removal(services)
    steps = [
        SagaStep("hide", remove.hide, retry=_RETRY),
        SagaStep("vector", remove.from_store("vectors"), retry=_RETRY),
        SagaStep("graph", remove.from_store("graph"), retry=_RETRY),
        SagaStep("manifest", remove.manifest, retry=_RETRY),
        build_chunk_removal_step(services),
        SagaStep("relational", remove.from_store("relational"), retry=_RETRY),
    ]
    return SagaDefinition(DELETION, steps, DELETION_VERSION, pivot="hide")


def build_chunk_removal_step(services: IngestionServices) -> SagaStep:
    """Remove every chunk of the upload that the saga's parameters name, and give it up."""
    return SagaStep("chunks", _Removal(services).chunks, retry=_RETRY)


@dataclass(frozen=True, slots=True)
class _Removal:
    services: IngestionServices

    def hide(self, context: StepContext) -> Parameters:
        return {"hidden": self.services.relational.hide(_owner(context))}

    def from_store(self, attribute: str) -> Callable[[StepContext], Parameters]:
        def remove(context: StepContext) -> Parameters:
            store = getattr(self.services, attribute)
            removed = store.delete(_owner(context))
            _check_empty(store.name, store.count(_owner(context)))
            return {"removed": removed}

        return remove

    def manifest(self, context: StepContext) -> Parameters:
        store = self.services.manifests
        removed = store.delete(_owner(context))
        _check_empty(store.name, store.count(_owner(context)))
        return {"removed": int(removed)}

    def chunks(self, context: StepContext) -> Parameters:
        upload_id = UUID(str(context.parameters["upload_id"]))
        prefix = upload_prefix_of(upload_id)
        deleted = delete_chunks(self.services.chunks, prefix)
        if deleted.problem:
            raise StorageBackendError(self.services.chunks.name, "delete", deleted.problem)
        self.services.chunks.close_prefix(prefix)
        _check_empty(self.services.chunks.name, len(list(self.services.chunks.list(prefix))))
        events: list[UploadEvent] = [UploadDiscarded("deleted")]
        if deleted.count:
            events.insert(0, ChunksDeleted(deleted.count, deleted.size_bytes))
        version = self.services.log.last_version(upload_id)
        context.append(upload_id, version, events)
        return {"removed": deleted.count, "size_bytes": deleted.size_bytes}


def _owner(context: StepContext) -> DocumentOwner:
    return DocumentOwner(
        str(context.parameters["document_id"]), str(context.parameters["owner_saga_id"])
    )


def _check_empty(store: str, left: int) -> None:
    if left:
        raise StorageBackendError(store, "delete", f"{left} items are still there")
