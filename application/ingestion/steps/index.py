"""Steps 6 to 8: write the verified document to each downstream store of the saga."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sagaledger.application.ingestion.document_facts import stage_fact
from sagaledger.application.ingestion.document_rows import (
    IndexedText,
    chunk_rows,
    document_record,
    known_text,
    prepare_text,
    spooled_passages,
)
from sagaledger.application.ingestion.parameters import IngestionParameters, StoreList
from sagaledger.application.ingestion.services import (
    IngestionServices,
    owner_of,
    verified_upload,
)
from sagaledger.domain.document.events import DocumentIndexed
from sagaledger.domain.document.records import DocumentRecord, Passage
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.values import upload_prefix_of
from sagaledger.domain.values import Parameters, Value

__all__ = ["StoreStep", "StoreUndo"]

_REPORT_EVERY = 64
"""The step reports its progress each time it has processed this many passages."""


@dataclass(frozen=True, slots=True)
class StoreStep:
    """Writes the document to one downstream store.

    The first step of the list extracts the text, and its output describes the result. The
    last one checks every store once more.
    """

    services: IngestionServices
    store: str
    """The name of the store in the list."""

    def __call__(self, context: StepContext) -> Parameters:
        """Store the document's items.

        Raises:
            EmbedderMismatchError: the vector store holds vectors of another embedder.
            StorageBackendError: the store failed, or before the decision a store does not hold the
                whole document.
        """
        services, stores = self.services, StoreList.from_stored(context.parameters)
        upload = verified_upload(services, context)
        is_first, is_last = self.store == stores.names[0], self.store == stores.names[-1]
        text = prepare_text(services, context) if is_first else known_text(context)
        document = document_record(context, upload, text)
        store = services.downstream_store(self.store)
        passages = _reporting(spooled_passages(services, context), text.passage_count, context)
        count = store.upsert(document, chunk_rows(upload), passages, context.checkpoint)
        if is_last:
            self._confirm_everywhere(document, stores.names)
        else:
            _compare(store.name, store.count(document.owner), store.expected(document))
        output: dict[str, Value] = {"items": count}
        if is_first:
            output |= text.to_output()
            self._tell(context, stores, text)
        return output

    def _confirm_everywhere(self, document: DocumentRecord, names: Iterable[str]) -> None:
        # The decision comes next, so a lost item must be detected here.
        services = self.services
        _compare(services.manifests.name, services.manifests.count(document.owner), 1)
        for store in map(services.downstream_store, names):
            # A store that reports success without storing would leave a partial document.
            _compare(store.name, store.count(document.owner), store.expected(document))
        listed = services.chunks.list(upload_prefix_of(UUID(document.upload_id)))
        _compare(services.chunks.name, sum(1 for _ in listed), document.chunk_count)

    def _tell(self, context: StepContext, stores: StoreList, text: IndexedText) -> None:
        if stores.version > 1:
            fact = DocumentIndexed(
                saga_id=context.saga_id.hex,
                media_type=text.media_type,
                note=text.note,
                passages=text.passage_count,
                embedder=text.embedder,
            )
            stage_fact(self.services.log, context, fact)


@dataclass(frozen=True, slots=True)
class StoreUndo:
    """Removes a saga's document from one store, and probes the store for residue."""

    services: IngestionServices
    store: str

    def __call__(self, context: StepContext) -> int:
        """Delete by document.

        Raises:
            StorageBackendError: the store failed.
        """
        return self.services.downstream_store(self.store).delete(owner_of(context))

    def residue(self, context: StepContext) -> Iterable[Residue]:
        """The items that the store still counts for the document."""
        owner = owner_of(context)
        count = self.services.downstream_store(self.store).count(owner)
        if count:
            yield Residue(self.store, owner.document_id, count)


def _reporting(passages: Iterator[Passage], total: int, context: StepContext) -> Iterator[Passage]:
    label = IngestionParameters.from_stored(context.parameters).shown_source
    for done, passage in enumerate(passages, start=1):
        yield passage
        if done % _REPORT_EVERY == 0 or done == total:
            context.progress(done, total, "passages", label)


def _compare(store: str, count: int, expected: int) -> None:
    if count != expected:
        raise StorageBackendError(store, "count", f"it holds {count} items of {expected}")
