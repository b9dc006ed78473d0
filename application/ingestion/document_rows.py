"""The rows for the downstream stores: the document, its chunks and its passages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from sagaledger.application.ingestion.parameters import IngestionParameters, StoreList
from sagaledger.application.ingestion.services import (
    IngestionServices,
    owner_of,
    verified_upload,
)
from sagaledger.application.ingestion.steps.secure import source_name
from sagaledger.application.ingestion.transfer.chunk_reader import ChunkReader
from sagaledger.application.plain_data import integer, output_of, text
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.passages import split_passages
from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Page, Passage
from sagaledger.domain.document.values import content_id_of
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.state import Upload
from sagaledger.domain.values import Parameters, Value

__all__ = [
    "IndexedText",
    "chunk_rows",
    "document_record",
    "known_text",
    "prepare_text",
    "spooled_passages",
]

_READ_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IndexedText:
    """The result of extracting a document's text."""

    media_type: str
    note: str
    passage_count: int
    embedder: str
    """The name of the embedder that makes its vectors."""

    @classmethod
    def from_output(cls, output: Parameters) -> IndexedText:
        """Read the output of the step that extracted the text.

        Raises:
            PlainDataInvalidError: The output does not contain it.
        """
        return cls(
            text(output, "media_type"),
            text(output, "text_note"),
            integer(output, "passages"),
            text(output, "embedder"),
        )

    def to_output(self) -> dict[str, Value]:
        """The plain data for the step's output."""
        return {
            "media_type": self.media_type,
            "text_note": self.note,
            "passages": self.passage_count,
            "embedder": self.embedder,
        }


def known_text(context: StepContext) -> IndexedText:
    """The text result of the first downstream step of the saga.

    Raises:
        PlainDataInvalidError: That step is not completed.
    """
    first = StoreList.from_stored(context.parameters).names[0]
    return IndexedText.from_output(output_of(context.outputs, first))


def prepare_text(services: IngestionServices, context: StepContext) -> IndexedText:
    """Extract the text of the verified chunks, split it into passages, and spool them.

    Raises:
        SagaRollbackRequired: The upload is not verified.
        StorageBackendError: A store failed.
    """
    upload = verified_upload(services, context)
    name = source_name(IngestionParameters.from_stored(context.parameters).source)
    with ChunkReader(services.chunks, services.encoding, upload) as reader:
        extracted = services.extractor.extract(io.BufferedReader(reader, _READ_BUFFER_BYTES), name)
        pages = _Pages(extracted.pages, context)
        count = services.spool.store(context.saga_id, split_passages(pages))
    note = pages.damage or extracted.note
    return IndexedText(extracted.media_type, note, count, services.embedder.identity.name)


class _Pages:
    """Yield the pages up to the damage. The bytes are safe; the note describes the damage."""

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
    """The document's passages; extracts them again if an earlier worker spooled them."""
    passages = services.spool.read(context.saga_id)
    if passages is None:
        prepare_text(services, context)
        passages = services.spool.read(context.saga_id)
    for passage in passages or ():
        context.checkpoint()
        yield passage


def chunk_rows(upload: Upload) -> Iterator[ChunkRow]:
    """The chunks as rows for the downstream stores."""
    for chunk in upload.chunks:
        yield ChunkRow(
            chunk.index,
            upload.layout.length(chunk.index),
            chunk.sha256.hex(),
            chunk_key(upload.key_prefix, chunk.index),
        )


def document_record(context: StepContext, upload: Upload, text: IndexedText) -> DocumentRecord:
    """The document as a row for the downstream stores."""
    parameters = IngestionParameters.from_stored(context.parameters)
    owner = owner_of(context)
    return DocumentRecord(
        document_id=owner.document_id,
        saga_id=owner.saga_id,
        upload_id=upload.id.hex,
        namespace=parameters.namespace,
        content_id=content_id_of(parameters.namespace, upload.sha256),
        sha256=upload.sha256.hex(),
        source_name=source_name(parameters.shown_source),
        size_bytes=upload.layout.size_bytes,
        chunk_size_bytes=upload.layout.chunk_size_bytes,
        chunk_count=upload.layout.count,
        passage_count=text.passage_count,
        media_type=text.media_type,
        text_note=text.note,
        classification=parameters.classification.value,
        embedder=text.embedder,
        created_us=context.started_us,
    )
