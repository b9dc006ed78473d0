"""The API for authors of adapters: ports, their records, and their errors.

An adapter is registered as an entry point of a group `sagaledger.<kind>`; the entry point names a
factory that takes a `StoreUrl` and an `AdapterContext` and returns the adapter. Everything here is
public: no adapter needs a module below `sagaledger` but this one, `sagaledger.events` and
`sagaledger` itself.
"""

from __future__ import annotations

from sagaledger.domain.document.errors import (
    EmbedderMismatchError,
    EmbedderUnavailableError,
    TextDamagedError,
    VectorInvalidError,
)
from sagaledger.domain.document.records import (
    ChunkRow,
    DocumentRecord,
    ExtractedText,
    Page,
    Passage,
    VectorHit,
    VectorRow,
)
from sagaledger.domain.document.text_sample import TextSample
from sagaledger.domain.document.values import DocumentOwner, EmbedderIdentity
from sagaledger.domain.errors import SagaledgerError, StorageBackendError, StorageFullError
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import (
    EventCorruptError,
    EventSerializationError,
    VersionConflictError,
)
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.ports.buffer import Buffer
from sagaledger.domain.ports.chunk_store import ChunkStore, ChunkWriter
from sagaledger.domain.ports.clock import Clock
from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.domain.ports.event_observer import (
    AppendedRow,
    AppendParticipant,
    EventObserver,
    StoredEvents,
)
from sagaledger.domain.ports.event_store import EventStore
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.domain.ports.manifest_store import ManifestStore
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.domain.ports.signer import Signer
from sagaledger.domain.ports.text_format import TextFormat
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.domain.upload.errors import ChunkExistsError, ChunkMissingError
from sagaledger.domain.upload.stored_chunk import StoredChunk
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterFactory
from sagaledger.interface.bootstrap.store_url import StoreUrl
from sagaledger.projections.engine.projector import Projection, Rule, each
from sagaledger.projections.engine.tables import Column, Table, View, integer, real, text

__all__ = [
    "AdapterContext",
    "AdapterFactory",
    "AppendParticipant",
    "AppendedRow",
    "Buffer",
    "ChunkExistsError",
    "ChunkMissingError",
    "ChunkRow",
    "ChunkStore",
    "ChunkWriter",
    "Clock",
    "Column",
    "ConfigurationError",
    "DocumentOwner",
    "DocumentRecord",
    "DownstreamStore",
    "Embedder",
    "EmbedderIdentity",
    "EmbedderMismatchError",
    "EmbedderUnavailableError",
    "Event",
    "EventCorruptError",
    "EventObserver",
    "EventRun",
    "EventSerializationError",
    "EventStore",
    "ExtractedText",
    "GraphStore",
    "ManifestStore",
    "OwnershipCheck",
    "Page",
    "Passage",
    "Projection",
    "RecordedEvent",
    "RelationalStore",
    "Rule",
    "SagaledgerError",
    "Signer",
    "StorageBackendError",
    "StorageFullError",
    "StoreUrl",
    "StoredChunk",
    "StoredEvents",
    "Table",
    "TextDamagedError",
    "TextFormat",
    "TextSample",
    "VectorHit",
    "VectorInvalidError",
    "VectorRow",
    "VectorStore",
    "VersionConflictError",
    "View",
    "each",
    "integer",
    "real",
    "text",
]
