"""The stores of a data folder: an embedded engine behind every port of an ingestion."""

from __future__ import annotations

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.infrastructure.chunk_stores.encoding import ZstdChunkEncoding
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.event_store import SqliteEventStore, SqliteSnapshotStore
from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore
from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer
from sagaledger.infrastructure.local_source import LocalSourceReader
from sagaledger.infrastructure.manifest_stores.folder import FolderManifestStore
from sagaledger.infrastructure.passage_spool import TemporaryFilePassageSpool
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.infrastructure.text import DocumentTextExtractor
from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore

__all__ = ["embedded_services"]


def embedded_services(
    folder: DataFolder, embedder: Embedder, clock: Clock, stores: DataFolder | None = None
) -> IngestionServices:
    """Open the log of a data folder, and its stores or those of another one.

    Raises:
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
    """
    log = SqliteEventStore(folder.events_db)
    snapshots = SqliteSnapshotStore(folder.events_db)
    folder = stores or folder
    return IngestionServices(
        log=log,
        snapshots=snapshots,
        chunks=LocalFolderChunkStore(folder.chunks),
        encoding=ZstdChunkEncoding(),
        source=LocalSourceReader(),
        extractor=DocumentTextExtractor(),
        embedder=embedder,
        vectors=SqliteVecVectorStore(folder.vectors_db),
        graph=LadybugGraphStore(folder.graph_db),
        relational=SqlAlchemyRelationalStore(folder.relational_db),
        manifests=FolderManifestStore(folder.manifests),
        signer=Ed25519Signer.open(folder.keys),
        spool=TemporaryFilePassageSpool(),
        clock=clock,
    )
