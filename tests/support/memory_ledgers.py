"""Ledgers whose every store is in memory: the real path from a file to a document, and quick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.ports.chunk_store import ChunkStore
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.signer import Signer
from sagaledger.infrastructure.ballast import NoBallast
from sagaledger.infrastructure.chunk_stores import MemoryChunkStore
from sagaledger.infrastructure.chunk_stores.encoding import ZstdChunkEncoding
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder
from sagaledger.infrastructure.event_store import MemoryEventStore, MemorySnapshotStore
from sagaledger.infrastructure.graph_stores.memory import MemoryGraphStore
from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer
from sagaledger.infrastructure.leases.sqlite_leases import MemoryLeases, MemoryLeaseStore
from sagaledger.infrastructure.local_source import LocalSourceReader
from sagaledger.infrastructure.manifest_stores.folder import MemoryManifestStore
from sagaledger.infrastructure.passage_spool import TemporaryFilePassageSpool
from sagaledger.infrastructure.relational_stores.memory import MemoryRelationalStore
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.infrastructure.text import DocumentTextExtractor
from sagaledger.infrastructure.vector_stores.memory import MemoryVectorStore
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import open_projections

from tests.support.ledgers import QUICK

__all__ = ["memory_ledger", "memory_services"]


def memory_services(
    clock: Clock, signer: Signer, chunks: ChunkStore | None = None
) -> IngestionServices:
    """Stores in memory, and all that an ingestion needs beside them."""
    return IngestionServices(
        log=MemoryEventStore(),
        snapshots=MemorySnapshotStore(),
        chunks=chunks or MemoryChunkStore(),
        encoding=ZstdChunkEncoding(),
        source=LocalSourceReader(),
        extractor=DocumentTextExtractor(),
        embedder=HashingEmbedder(),
        vectors=MemoryVectorStore(),
        graph=MemoryGraphStore(),
        relational=MemoryRelationalStore(),
        manifests=MemoryManifestStore(),
        signer=signer,
        spool=TemporaryFilePassageSpool(),
        clock=clock,
    )


@contextmanager
def memory_ledger(chunks: ChunkStore | None = None) -> Iterator[Ledger]:
    """A ledger that is gone with its `with` block; the chunks may be kept elsewhere."""
    clock = SystemClock()
    services = memory_services(clock, Ed25519Signer(Ed25519PrivateKey.generate()), chunks)
    leases = MemoryLeaseStore("host:1:test", MemoryLeases(), clock)
    projector = open_projections(None, services.log)
    with Ledger(services, leases, NoBallast(), projector, QUICK) as ledger:
        yield ledger
