"""Deletes a document: a separate saga that only goes forward and checks each store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.ingestion.document_facts import stage_fact
from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.upload_undo import delete_chunks
from sagaledger.application.plain_data import text
from sagaledger.domain.document.events import DocumentDeleted, DocumentHidden
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
    "DELETION_VERSIONS",
    "build_chunk_removal_step",
    "build_deletion_definition",
    "deletion_parameters",
]

DELETION = "delete-document"
DELETION_VERSIONS = (1, 2)
"""Version 1 records no facts, and empties the vector, the graph and the relational store."""
_RETRY = RetryPolicy(max_attempts=3, delay_s=1.0)


def deletion_parameters(document: DocumentRecord, stores: Sequence[str]) -> dict[str, Value]:
    """The parameters of a deletion from these downstream stores."""
    return {
        "document_id": document.document_id,
        "owner_saga_id": document.saga_id,
        "upload_id": document.upload_id,
        "source": document.source_name,
        **StoreList.to_stored(stores),
    }


def build_deletion_definition(
    services: IngestionServices, parameters: Parameters
) -> SagaDefinition:
    """Hide the document from readers, then empty the stores one at a time.

    The first step is the pivot: once readers no longer see the document, there is no way back. The
    relational store is emptied last, because a recovery finds the rest by its rows.

    Raises:
        PlainDataInvalidError: A parameter is malformed; the error names it.
        StorageBackendError: A store of the saga's list is not configured.
    """
    stores = StoreList.from_stored(parameters)
    remove = _Removal(services)
    *others, last = [
        SagaStep(name, remove.from_store(name, name == stores.names[-1]), retry=_RETRY)
        for name in (services.downstream_store(name).name for name in stores.names)
    ]
    steps = [
        SagaStep("hide", remove.hide, retry=_RETRY),
        *others,
        SagaStep("manifest", remove.manifest, retry=_RETRY),
        build_chunk_removal_step(services),
        last,
    ]
    return SagaDefinition(DELETION, steps, stores.version, pivot="hide")


def build_chunk_removal_step(services: IngestionServices) -> SagaStep:
    """Remove every chunk of the upload in the saga's parameters, and record it as discarded."""
    return SagaStep("chunks", _Removal(services).chunks, retry=_RETRY)


@dataclass(frozen=True, slots=True)
class _Removal:
    services: IngestionServices

    def hide(self, context: StepContext) -> Parameters:
        hidden = self.services.relational.hide(_owner(context))
        self._tell(context, DocumentHidden)
        return {"hidden": hidden}

    def from_store(self, name: str, is_last: bool) -> Callable[[StepContext], Parameters]:
        def remove(context: StepContext) -> Parameters:
            store = self.services.downstream_store(name)
            removed = store.delete(_owner(context))
            _check_empty(store.name, store.count(_owner(context)))
            if is_last:
                self._tell(context, DocumentDeleted)
            return {"removed": removed}

        return remove

    def _tell(
        self, context: StepContext, fact: type[DocumentHidden] | type[DocumentDeleted]
    ) -> None:
        if StoreList.from_stored(context.parameters).version > 1:
            made = fact(_owner(context).saga_id, context.saga_id.hex)
            stage_fact(self.services.log, context, made)

    def manifest(self, context: StepContext) -> Parameters:
        store = self.services.manifests
        removed = store.delete(_owner(context))
        _check_empty(store.name, store.count(_owner(context)))
        return {"removed": int(removed)}

    def chunks(self, context: StepContext) -> Parameters:
        upload_id = UUID(text(context.parameters, "upload_id"))
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
    parameters = context.parameters
    return DocumentOwner(text(parameters, "document_id"), text(parameters, "owner_saga_id"))


def _check_empty(store: str, left: int) -> None:
    if left:
        raise StorageBackendError(store, "delete", f"{left} items are still there")
