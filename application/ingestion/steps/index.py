"""Steps 6 to 8: the vector, graph and relational stores take the verified document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sagaledger.application.ingestion.document_rows import (
    chunk_rows,
    document_record,
    prepare_text,
    spooled_passages,
)
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import (
    IngestionServices,
    owner_of,
    verified_upload,
)
from sagaledger.domain.document.records import DocumentRecord, VectorRow
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.values import upload_prefix_of
from sagaledger.domain.values import Parameters

__all__ = ["GraphStep", "RelationalStep", "StoreUndo", "VectorStep"]

_EMBED_BATCH = 64


@dataclass(frozen=True, slots=True)
class VectorStep:
    """Extracts the text, embeds its passages and stores the vectors."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Store the document's vectors.

        Raises:
            EmbedderMismatchError: the store holds vectors of another embedder.
            StorageBackendError: the store failed.
        """
        services = self.services
        text = prepare_text(services, context)
        identity = services.embedder.identity
        services.vectors.prepare(identity)
        owner = owner_of(context)
        stored = services.vectors.upsert(
            owner, self._rows(context, text.passage_count), context.checkpoint
        )
        _confirm(services.vectors, owner, text.passage_count)
        return {
            "media_type": text.media_type,
            "text_note": text.note,
            "passages": text.passage_count,
            "vectors": stored,
            "embedder": identity.name,
            "dimension": identity.dimension,
        }

    def _rows(self, context: StepContext, total: int) -> Iterator[VectorRow]:
        passages = spooled_passages(self.services, context)
        label = IngestionParameters.from_stored(context.parameters).shown_source
        done = 0
        while batch := list(islice(passages, _EMBED_BATCH)):
            vectors = self.services.embedder.embed([passage.text for passage in batch])
            for passage, vector in zip(batch, vectors, strict=True):
                yield VectorRow(passage.number, vector)
            done += len(batch)
            context.progress(done, total, "passages", label)


@dataclass(frozen=True, slots=True)
class GraphStep:
    """Stores the document, its chunks and its passages as nodes and relations."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Store the document's nodes.

        Raises:
            StorageBackendError: the store failed.
        """
        upload = verified_upload(self.services, context)
        document = document_record(context, upload)
        passages = spooled_passages(self.services, context)
        nodes = self.services.graph.upsert(
            document, chunk_rows(upload), passages, context.checkpoint
        )
        _confirm(self.services.graph, document.owner, document.item_count)
        return {"nodes": nodes}


@dataclass(frozen=True, slots=True)
class RelationalStep:
    """Stores the document, its chunks and its passages as rows that no reader sees yet."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Store the document's rows in state `pending`, then ask every store a last time.

        What follows is the decision, so whatever has got lost must show here.

        Raises:
            StorageBackendError: the store failed, or a store does not hold the whole document.
        """
        upload = verified_upload(self.services, context)
        document = document_record(context, upload)
        passages = spooled_passages(self.services, context)
        rows = self.services.relational.upsert(
            document, chunk_rows(upload), passages, context.checkpoint
        )
        self._confirm_everywhere(document)
        return {"rows": rows}

    def _confirm_everywhere(self, document: DocumentRecord) -> None:
        services = self.services
        _confirm(services.manifests, document.owner, 1)
        _confirm(services.vectors, document.owner, document.passage_count)
        _confirm(services.graph, document.owner, document.item_count)
        _confirm(services.relational, document.owner, document.item_count)
        listed = services.chunks.list(upload_prefix_of(UUID(document.upload_id)))
        _compare(services.chunks.name, sum(1 for _ in listed), document.chunk_count)


@dataclass(frozen=True, slots=True)
class StoreUndo:
    """Removes a saga's document from one store, and asks the store what is left."""

    store: VectorStore | GraphStore | RelationalStore

    def __call__(self, context: StepContext) -> int:
        """Delete by document.

        Raises:
            StorageBackendError: the store failed.
        """
        return self.store.delete(owner_of(context))

    def residue(self, context: StepContext) -> Iterable[Residue]:
        """What the store still counts for the document."""
        owner = owner_of(context)
        count = self.store.count(owner)
        if count:
            yield Residue(self.store.name, owner.document_id, count)


def _confirm(
    store: VectorStore | GraphStore | RelationalStore | ManifestStore,
    owner: DocumentOwner,
    expected: int,
) -> None:
    # A store that says yes and keeps nothing would make a document that is only partly there.
    _compare(store.name, store.count(owner), expected)


def _compare(store: str, count: int, expected: int) -> None:
    if count != expected:
        raise StorageBackendError(store, "count", f"it holds {count} items of {expected}")
