"""The ports that the steps of an ingestion work through, and how they find what came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.upload_repository import UploadRepository
from sagaledger.domain.document.values import DocumentOwner, document_id_of
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.ports.passage_spool import PassageSpool
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.ports.signer import Signer
from sagaledger.domain.ports.snapshot_store import SnapshotStore
from sagaledger.domain.ports.source_reader import SourceReader
from sagaledger.domain.ports.text_extractor import TextExtractor
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import SagaRollbackRequired
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.errors import ChunkMetadataCorruptError
from sagaledger.domain.upload.state import Upload, UploadStatus, fold_upload
from sagaledger.domain.upload.values import upload_id_of

if TYPE_CHECKING:
    # It is made of these services itself.
    from sagaledger.application.ingestion.transfer.read_ahead import ReadAhead

__all__ = [
    "IngestionServices",
    "ReadsAhead",
    "UploadCache",
    "append_to_upload",
    "known_upload",
    "owner_of",
    "stage_to_upload",
    "verified_upload",
]


class ReadsAhead:
    """Keeps what sagas at work here have read back early, for their verification."""

    def __init__(self) -> None:
        self._kept: dict[UUID, ReadAhead] = {}
        self._lock = Lock()

    def put(self, saga_id: UUID, ahead: ReadAhead) -> None:
        """Keep it."""
        with self._lock:
            self._kept[saga_id] = ahead

    def take(self, saga_id: UUID) -> ReadAhead | None:
        """What was kept for a saga; it is not kept any longer."""
        with self._lock:
            return self._kept.pop(saga_id, None)


class UploadCache:
    """Remembers verified uploads of sagas at work here, for a verified upload no longer changes."""

    def __init__(self) -> None:
        self._uploads: dict[UUID, Upload] = {}
        self._lock = Lock()

    def get(self, saga_id: UUID) -> Upload | None:
        """The saga's verified upload, if this worker saw it."""
        with self._lock:
            return self._uploads.get(saga_id)

    def put(self, saga_id: UUID, upload: Upload) -> None:
        """Remember it."""
        with self._lock:
            self._uploads[saga_id] = upload

    def discard(self, saga_id: UUID) -> None:
        """Forget it. Idempotent."""
        with self._lock:
            self._uploads.pop(saga_id, None)


@dataclass(slots=True)
class IngestionServices:
    """Everything an ingestion touches."""

    log: EventStore
    snapshots: SnapshotStore
    chunks: ChunkStore
    encoding: ChunkEncoding
    source: SourceReader
    extractor: TextExtractor
    embedder: Embedder
    vectors: VectorStore
    graph: GraphStore
    relational: RelationalStore
    manifests: ManifestStore
    signer: Signer
    spool: PassageSpool
    clock: Clock
    uploads: UploadCache = field(default_factory=UploadCache)
    reads_ahead: ReadsAhead = field(default_factory=ReadsAhead)

    @property
    def upload_repository(self) -> UploadRepository:
        """Uploads as the log tells them."""
        return UploadRepository(self.log, self.snapshots)

    def forget(self, saga_id: UUID) -> None:
        """Drop what was kept in this process for a saga that has ended or was let go."""
        self.uploads.discard(saga_id)
        self.reads_ahead.take(saga_id)
        self.spool.discard(saga_id)


def known_upload(services: IngestionServices, saga_id: UUID) -> Upload:
    """The saga's upload as the log knows it.

    Raises:
        ChunkMetadataCorruptError: there is none, or its history contradicts itself.
        EventCorruptError: an event of it cannot be decoded.
    """
    upload_id = upload_id_of(saga_id)
    upload = services.upload_repository.find(upload_id)
    if upload is None:
        raise ChunkMetadataCorruptError(upload_id.hex, "its history is missing")
    return upload


def verified_upload(services: IngestionServices, context: StepContext) -> Upload:
    """The gate: the saga's upload, if the log says it was verified at the digest in use.

    Raises:
        SagaRollbackRequired: it was not.
    """
    upload = services.uploads.get(context.saga_id)
    if upload is None:
        upload = known_upload(services, context.saga_id)
    named = str(context.outputs["verify"]["sha256"])
    if upload.status is not UploadStatus.VERIFIED or upload.sha256.hex() != named:
        raise SagaRollbackRequired(
            RollbackReason.INVALID_STATE,
            f"upload {upload.id.hex} is {upload.status}, not verified at {named}; "
            "nothing downstream may run",
        )
    services.uploads.put(context.saga_id, upload)
    return upload


def append_to_upload(context: StepContext, upload: Upload, events: Sequence[Event]) -> None:
    """Store events of the upload under the saga's claim, and fold them in."""
    if events:
        fold_upload(upload, context.append(upload.id, upload.version, events))


def stage_to_upload(context: StepContext, upload: Upload, events: Sequence[Event]) -> None:
    """Have events of the upload stored with the step's outcome, and fold them in.

    They are true whatever becomes of the step: chunks are durable, a check did not hold.
    """
    fold_upload(upload, context.stage(upload.id, upload.version, events, even_on_failure=True))


def owner_of(context: StepContext) -> DocumentOwner:
    """Who owns the rows of this saga, known from the moment its content is verified."""
    namespace = IngestionParameters.from_stored(context.parameters).namespace
    sha256 = bytes.fromhex(str(context.outputs["verify"]["sha256"]))
    return DocumentOwner(document_id_of(namespace, sha256, context.saga_id), context.saga_id.hex)
