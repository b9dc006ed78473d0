"""The ports that the steps of an ingestion use, and access to the upload of a saga."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sagaledger.application.closing import Closeable, is_closeable
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.application.ingestion.saga_cache import SagaCache
from sagaledger.application.ingestion.shipped_stores import (
    GraphIndex,
    RelationalIndex,
    VectorIndex,
)
from sagaledger.application.ingestion.transfer.read_ahead import ReadAhead
from sagaledger.application.ingestion.upload_repository import UploadRepository
from sagaledger.application.plain_data import output_of, text
from sagaledger.domain.document.values import DocumentOwner, document_id_of
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.saga.definition import StepContext
from sagaledger.domain.saga.errors import SagaRollbackRequired
from sagaledger.domain.saga.values import RollbackReason
from sagaledger.domain.upload.errors import ChunkMetadataCorruptError
from sagaledger.domain.upload.state import Upload, UploadStatus, fold_upload
from sagaledger.domain.upload.values import upload_id_of

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_encoding import ChunkEncoding
    from sagaledger.domain.ports.chunk_store import ChunkStore
    from sagaledger.domain.ports.clock import Clock
    from sagaledger.domain.ports.downstream_store import DownstreamStore
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

__all__ = [
    "IngestionServices",
    "OwnedItems",
    "append_to_upload",
    "known_upload",
    "owner_of",
    "stage_to_upload",
    "verified_upload",
]

_TAKEN_NAMES = (
    *("validate", "start", "upload", "verify", "secure", "finalize"),
    *("hide", "manifest", "manifests", "chunks", "saga", "log"),
)
"""The names of steps and other stores; a downstream store must have a different name."""


class OwnedItems(Protocol):
    """A store whose items each belong to the owner of one document."""

    @property
    def name(self) -> str:
        """The store's name in events and in the orphan list."""

    def count(self, owner: DocumentOwner) -> int:
        """The number of items of the owner."""

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's items. Returns their number."""

    def owners(self) -> Iterator[DocumentOwner]:
        """All owners that have items."""


@dataclass(slots=True)
class IngestionServices:
    """All ports of an ingestion."""

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
    further_stores: tuple[DownstreamStore, ...] = ()
    """Downstream stores in addition to the vector, the graph and the relational store."""
    uploads: SagaCache[Upload] = field(default_factory=SagaCache)
    """Verified uploads: they no longer change."""
    reads_ahead: SagaCache[ReadAhead] = field(default_factory=SagaCache)
    """The early read-backs, for the verification."""

    def __post_init__(self) -> None:
        """Check that the names of the stores are unique.

        Raises:
            ValueError: Two stores have the same name, or one has the name of another part.
        """
        names = Counter([*_TAKEN_NAMES, *(store.name for store in self.downstream)])
        if twice := [name for name, count in names.items() if count > 1 or not name]:
            raise ValueError(f"a downstream store needs a name of its own, not {twice[0]!r}")

    @property
    def downstream(self) -> tuple[DownstreamStore, ...]:
        """Every downstream store in the order of their steps.

        The relational store is the last: it decides what readers see, and an unfinished deletion
        is found by its rows.
        """
        return (
            VectorIndex(self.vectors, self.embedder),
            GraphIndex(self.graph),
            *self.further_stores,
            RelationalIndex(self.relational),
        )

    @property
    def downstream_names(self) -> tuple[str, ...]:
        """The list of stores for a saga that starts now."""
        return tuple(store.name for store in self.downstream)

    def downstream_store(self, name: str) -> DownstreamStore:
        """The downstream store that a saga's list names.

        Raises:
            StorageBackendError: The store is not configured here, but this saga needs it.
        """
        for store in self.downstream:
            if store.name == name:
                return store
        known = ", ".join(self.downstream_names)
        raise StorageBackendError(name, "open", f"it is not configured; configured stores: {known}")

    @property
    def owned_stores(self) -> tuple[OwnedItems, ...]:
        """All stores whose items belong to the owner of a document."""
        return (*self.downstream, self.manifests)

    @property
    def closeable_stores(self) -> tuple[Closeable, ...]:
        """Every store to be closed; of some ports only those adapters that hold something."""
        optional = (self.chunks, self.manifests, self.signer)
        return (*self.downstream, *(part for part in optional if is_closeable(part)))

    @property
    def upload_repository(self) -> UploadRepository:
        """The uploads, folded from the log."""
        return UploadRepository(self.log, self.snapshots)

    def forget(self, saga_id: UUID) -> None:
        """Drop the cached values of a saga that has ended or was released."""
        self.uploads.discard(saga_id)
        self.reads_ahead.discard(saga_id)
        self.spool.discard(saga_id)


def known_upload(services: IngestionServices, saga_id: UUID) -> Upload:
    """The saga's upload, folded from the log.

    Raises:
        ChunkMetadataCorruptError: The upload is missing, or its history contradicts itself.
        EventCorruptError: An event of it cannot be decoded.
    """
    upload_id = upload_id_of(saga_id)
    upload = services.upload_repository.find(upload_id)
    if upload is None:
        raise ChunkMetadataCorruptError(upload_id.hex, "its history is missing")
    return upload


def verified_upload(services: IngestionServices, context: StepContext) -> Upload:
    """The gate: the saga's upload, if the log shows that it was verified with this digest.

    Raises:
        SagaRollbackRequired: The upload was not verified.
    """
    upload = services.uploads.get(context.saga_id)
    if upload is None:
        upload = known_upload(services, context.saga_id)
    named = text(output_of(context.outputs, "verify"), "sha256")
    if upload.status is not UploadStatus.VERIFIED or upload.sha256.hex() != named:
        raise SagaRollbackRequired(
            RollbackReason.INVALID_STATE,
            f"upload {upload.id.hex} is {upload.status}, not verified at {named}; "
            "nothing downstream may run",
        )
    services.uploads.put(context.saga_id, upload)
    return upload


def append_to_upload(context: StepContext, upload: Upload, events: Sequence[Event]) -> None:
    """Store events of the upload under the saga's claim, and apply them."""
    if events:
        fold_upload(upload, context.append(upload.id, upload.version, events))


def stage_to_upload(context: StepContext, upload: Upload, events: Sequence[Event]) -> None:
    """Stage events of the upload for the step's outcome, and apply them.

    They are true even if the step fails: chunks are durable, a check failed.
    """
    fold_upload(upload, context.stage(upload.id, upload.version, events, even_on_failure=True))


def owner_of(context: StepContext) -> DocumentOwner:
    """The owner of this saga's rows, known once its content is verified."""
    namespace = IngestionParameters.from_stored(context.parameters).namespace
    sha256 = bytes.fromhex(text(output_of(context.outputs, "verify"), "sha256"))
    return DocumentOwner(document_id_of(namespace, sha256, context.saga_id), context.saga_id.hex)
