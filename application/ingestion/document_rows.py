"""What the downstream stores are given: the document, its chunks and its passages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.services import IngestionServices, verified_upload
from sagaledger.application.ingestion.steps.secure import source_name
from sagaledger.application.ingestion.transfer.chunk_reader import ChunkReader
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.passages import split_passages
from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Page, Passage
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.state import Upload

__all__ = ["PreparedText", "chunk_rows", "document_record", "prepare_text", "spooled_passages"]

_READ_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PreparedText:
    """What came of looking for a document's text."""

    media_type: str
    note: str
    passage_count: int


def prepare_text(services: IngestionServices, context: StepContext) -> PreparedText:
    """Extract the text of the verified chunks, cut it into passages, and keep these at hand.

    Raises:
        SagaRollbackRequired: the upload is not verified.
        StorageBackendError: a store failed on the way.
    """
    upload = verified_upload(services, context)
    name = source_name(IngestionParameters.from_stored(context.parameters).source)
    with ChunkReader(services.chunks, services.encoding, upload) as reader:
        extracted = services.extractor.extract(io.BufferedReader(reader, _READ_BUFFER_BYTES), name)
        pages = _Pages(extracted.pages, context)
        count = services.spool.store(context.saga_id, split_passages(pages))
    return PreparedText(extracted.media_type, pages.damage or extracted.note, count)


class _Pages:
    """Pages up to where the text is damaged: the bytes are safe, and the note says the rest."""

    def __init__(self, pages: Iterator[Page], context: StepContext) -> None:
        self._pages = pages
        self._context = context
        self.damage = ""

    def __iter__(self) -> Iterator[Page]:
        try:
            for page in self._pages:
                self._context.checkpoint()
                yield page
        except TextDamagedError as error:
            self.damage = error.detail


def spooled_passages(services: IngestionServices, context: StepContext) -> Iterator[Passage]:
    """The document's passages, extracted anew where an earlier worker had them."""
    passages = services.spool.read(context.saga_id)
    if passages is None:
        prepare_text(services, context)
        passages = services.spool.read(context.saga_id)
    assert passages is not None
    for passage in passages:
        context.checkpoint()
        yield passage


def chunk_rows(upload: Upload) -> Iterator[ChunkRow]:
    """The chunks as the downstream stores know them."""
    for chunk in upload.chunks:
        yield ChunkRow(
            chunk.index,
            upload.layout.length(chunk.index),
            chunk.sha256.hex(),
            chunk_key(upload.key_prefix, chunk.index),
        )


def document_record(context: StepContext, upload: Upload) -> DocumentRecord:
    """The document as the graph and relational stores know it, from the steps' outputs."""
    parameters = IngestionParameters.from_stored(context.parameters)
    secured, indexed = context.outputs["secure"], context.outputs["vector"]
    passage_count = indexed["passages"]
    assert isinstance(passage_count, int)
    return DocumentRecord(
        document_id=str(secured["document_id"]),
        saga_id=context.saga_id.hex,
        upload_id=upload.id.hex,
        namespace=parameters.namespace,
        content_id=str(secured["content_id"]),
        sha256=upload.sha256.hex(),
        source_name=source_name(parameters.shown_source),
        size_bytes=upload.layout.size_bytes,
        chunk_size_bytes=upload.layout.chunk_size_bytes,
        chunk_count=upload.layout.count,
        passage_count=passage_count,
        media_type=str(indexed["media_type"]),
        text_note=str(indexed["text_note"]),
        classification=str(secured["classification"]),
        embedder=str(indexed["embedder"]),
        created_us=context.started_us,
    )
