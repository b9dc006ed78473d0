"""Reads committed documents: restore, verify, search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.engine.attribution import on_behalf_of
from sagaledger.application.engine.envelopes import EnvelopeFactory
from sagaledger.application.engine.failures import annotate
from sagaledger.application.ingestion.parameters import StoreList
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.application.ingestion.steps.validate import opened_source
from sagaledger.application.ingestion.transfer.read_back import UploadReader
from sagaledger.domain.document.errors import EmbedderMismatchError, SignatureInvalidError
from sagaledger.domain.document.manifest import SignedManifest
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.errors import AmbiguousIdError, NotFoundError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import SagaStarted
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.errors import IntegrityMismatchError
from sagaledger.domain.upload.events import IntegrityFailed, IntegrityVerified
from sagaledger.domain.upload.state import Upload, judge_integrity

if TYPE_CHECKING:
    from sagaledger.domain.ports.source_reader import OpenSource

__all__ = ["Documents", "SearchHit", "StoreCount", "Verification", "verify_upload"]

_BLOCK_BYTES = 1024 * 1024
_MAX_NEIGHBOURS = 4096


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A passage of a committed document that matches a search."""

    document_id: str
    source_name: str
    passage: int
    page: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class StoreCount:
    """The expected and the actual number of items that a store holds of a document."""

    store: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of reading a whole document again."""

    document_id: str
    verdict: IntegrityVerified | IntegrityFailed
    signature: str
    """`valid`, or what is wrong with the signed manifest."""
    stores: tuple[StoreCount, ...]
    """The counts of each downstream store that the document was written to."""

    @property
    def holds(self) -> bool:
        """Whether content and signature are unchanged, and each store holds all items."""
        counts_hold = all(count.expected == count.found for count in self.stores)
        is_whole = isinstance(self.verdict, IntegrityVerified)
        return is_whole and self.signature == "valid" and counts_hold


@dataclass(frozen=True, slots=True)
class Documents:
    """The committed documents. No other document can be reached through this class."""

    services: IngestionServices
    envelope_factory: EnvelopeFactory

    def find(self, given: str) -> DocumentRecord:
        """The committed document whose id is, or starts with, the given text.

        Raises:
            NotFoundError: No document matches.
            AmbiguousIdError: Several documents match.
        """
        # Every id starts with the empty text, which cannot be meant; every id is ASCII.
        found = self.services.relational.find(given) if given and given.isascii() else []
        exact = [document for document in found if document.document_id == given]
        if len(exact or found) > 1:
            raise AmbiguousIdError(given, [document.document_id for document in found])
        if not found:
            raise NotFoundError("document", given)
        return (exact or found)[0]

    def content(self, document: DocumentRecord) -> Iterator[bytes]:
        """The document's bytes. Each chunk's digest is checked before the chunk is yielded, the
        digest of the whole after the last one.

        Raises:
            IntegrityMismatchError: A chunk or the whole differs from what was stored.
            ChunkMissingError: A chunk is missing.
        """
        upload = self._upload(document)
        whole = hashlib.sha256()
        for record in upload.chunks:
            digest = hashlib.sha256()
            stored = self.services.chunks.open(chunk_key(upload.key_prefix, record.index))
            with self.services.encoding.decode(record.encoding, stored) as plain:
                while block := plain.read(_BLOCK_BYTES):
                    digest.update(block)
                    whole.update(block)
                    yield block
            check = f"chunk {record.index}"
            _compare(RollbackReason.CHUNK_MISMATCH, check, record.sha256, digest.digest())
        _compare(RollbackReason.HASH_MISMATCH, "hash", upload.sha256, whole.digest())

    def verify(self, document: DocumentRecord) -> Verification:
        """Read every chunk again, record the verdict, check the signature, and count the items of
        each store.

        Raises:
            StorageBackendError: A store cannot be read, or is no longer configured.
        """
        upload = self._upload(document)
        verdict = verify_upload(self.services, self.envelope_factory, upload)
        signature = self._signature(document, upload)
        return Verification(document.document_id, verdict, signature, self._counts(document))

    def _counts(self, document: DocumentRecord) -> tuple[StoreCount, ...]:
        stores = map(self.services.downstream_store, self._stores_of(document))
        return tuple(
            StoreCount(store.name, store.expected(document), store.count(document.owner))
            for store in stores
        )

    def _stores_of(self, document: DocumentRecord) -> tuple[str, ...]:
        """The downstream stores that were configured when its saga started."""
        for recorded in events_of(self.services.log.read_stream(UUID(document.saga_id))):
            if isinstance(recorded.event, SagaStarted):
                return StoreList.from_stored(recorded.event.parameters).names
        raise NotFoundError("saga", document.saga_id)

    def search(self, words: str, limit: int) -> Sequence[SearchHit]:
        """The passages of committed documents that are nearest to the query, nearest first.

        Raises:
            EmbedderMismatchError: Another embedder than this one made the vectors of the documents.
        """
        (vector,) = self.services.embedder.embed([words])
        wanted = limit * 2
        while True:
            near = self.services.vectors.search(vector, wanted)
            owners = {hit: DocumentOwner(hit.document_id, hit.saga_id) for hit in near}
            visible = self.services.relational.committed_among(list(set(owners.values())))
            hits = [hit for hit in near if owners[hit] in visible][:limit]
            # Hits of documents that readers may not see took up the limit: request more.
            if len(hits) == limit or len(near) < wanted or wanted >= _MAX_NEIGHBOURS:
                break
            wanted = min(wanted * 4, _MAX_NEIGHBOURS)
        results = []
        for hit in hits:
            passage = self.services.relational.passages(owners[hit], [hit.passage])
            names = self.services.relational.find(hit.document_id)
            if hit.passage in passage and names:
                _check_embedder(names[0], self.services.embedder.identity)
                text = passage[hit.passage]
                results.append(
                    SearchHit(
                        hit.document_id,
                        names[0].source_name,
                        hit.passage,
                        text.page,
                        hit.score,
                        text.text,
                    )
                )
        return results

    def same_content(self, path: str, namespace: str) -> DocumentRecord | None:
        """The committed document with the content of a file, or None if there is none.

        The file is hashed only if a document of its size exists.

        Raises:
            SourceNotFoundError: The file does not exist.
            SourceUnreadableError: The file cannot be read.
        """
        with opened_source(self.services, path) as source:
            size_bytes = source.fingerprint.size_bytes
            candidates = self.services.relational.with_size(namespace, size_bytes)
            sha256 = _sha256(source) if candidates else ""
        return next((d for d in candidates if d.sha256 == sha256), None)

    def _upload(self, document: DocumentRecord) -> Upload:
        upload = self.services.upload_repository.find(UUID(document.upload_id))
        if upload is None:
            raise NotFoundError("upload", document.upload_id)
        return upload

    def _signature(self, document: DocumentRecord, upload: Upload) -> str:
        record = self.services.manifests.get(document.document_id)
        if record is None:
            return "the manifest is missing"
        try:
            signed = SignedManifest.from_bytes(document.document_id, record)
            facts = signed.facts()
        except (SignatureInvalidError, ValueError) as error:
            return str(error)
        if not self.services.signer.is_valid(signed.manifest, signed.signature, signed.public_key):
            return "the signature does not fit the manifest"
        if signed.public_key != self.services.signer.public_key:
            return f"signed with another key ({signed.key_id})"
        if (facts.get("sha256"), facts.get("chunk_list_root")) != (
            upload.sha256.hex(),
            upload.chunk_list_root.hex(),
        ):
            return "the manifest is of other content"
        return "valid"


def verify_upload(
    services: IngestionServices, envelope_factory: EnvelopeFactory, upload: Upload
) -> IntegrityVerified | IntegrityFailed:
    """Read every chunk of a completed upload again, and record the verdict.

    Raises:
        StorageBackendError: The chunk store cannot be read.
    """
    found = UploadReader(services.chunks, services.encoding, upload, threads=2).read(None, None)
    verdict = judge_integrity(upload, found)
    with annotate([verdict]), on_behalf_of(UUID(upload.saga_id)):
        services.log.append(envelope_factory.envelopes(upload.id, upload.version, 0, [verdict]))
    return verdict


def _compare(reason: RollbackReason, check: str, expected: bytes, actual: bytes) -> None:
    if expected != actual:
        raise IntegrityMismatchError(reason, check, expected.hex(), actual.hex())


def _check_embedder(document: DocumentRecord, given: EmbedderIdentity) -> None:
    # Vectors of another dimension cannot be compared; those of another embedder would be wrong.
    if document.embedder != given.name:
        raise EmbedderMismatchError(EmbedderIdentity(document.embedder, given.dimension), given)


def _sha256(source: OpenSource) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK_BYTES))
    offset = 0
    while got := source.read_into(offset, buffer):
        digest.update(buffer[:got])
        offset += got
    return digest.hexdigest()
