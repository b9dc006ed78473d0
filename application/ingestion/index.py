"""Steps 6 to 8: the vector, graph and relational stores take the verified document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sagaledger.application.ingestion.document_rows import (
    chunk_rows,
    document_record,
    prepare_text,
    spooled_passages,
)
from sagaledger.application.ingestion.services import (
    IngestionServices,
    owner_of,
    verified_upload,
)
from sagaledger.domain.definition import StepContext
from sagaledger.domain.store_ports import (
    GraphStore,
    RelationalStore,
    VectorRow,
    VectorStore,
)
from sagaledger.domain.values import Parameters, Residue

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
        stored = services.vectors.upsert(owner_of(context), self._rows(context, text.passage_count))
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
        done = 0
        while batch := list(islice(passages, _EMBED_BATCH)):
            vectors = self.services.embedder.embed([passage.text for passage in batch])
            for passage, vector in zip(batch, vectors, strict=True):
                yield VectorRow(passage.number, vector)
            done += len(batch)
            context.progress(done, total, "passages")


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
        document = document_record(self.services, context, upload)
        passages = spooled_passages(self.services, context)
        return {"nodes": self.services.graph.upsert(document, chunk_rows(upload), passages)}


@dataclass(frozen=True, slots=True)
class RelationalStep:
    """Stores the document, its chunks and its passages as rows that no reader sees yet."""

    services: IngestionServices

    def __call__(self, context: StepContext) -> Parameters:
        """Store the document's rows in state `pending`.

        Raises:
            StorageBackendError: the store failed.
        """
        upload = verified_upload(self.services, context)
        document = document_record(self.services, context, upload)
        passages = spooled_passages(self.services, context)
        return {"rows": self.services.relational.upsert(document, chunk_rows(upload), passages)}


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
