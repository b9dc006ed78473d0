"""The shipped adapters: the factories that the entry points name.

Engines are imported when they are opened: a command that needs no graph imports no graph engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagaledger.interface.bootstrap.registry import AdapterContext
from sagaledger.interface.bootstrap.store_url import StoreUrl

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_store import ChunkStore
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.graph_store import GraphStore
    from sagaledger.domain.ports.manifest_store import ManifestStore
    from sagaledger.domain.ports.relational_store import RelationalStore
    from sagaledger.domain.ports.signer import Signer
    from sagaledger.domain.ports.snapshot_store import SnapshotStore
    from sagaledger.domain.ports.text_format import TextFormat
    from sagaledger.domain.ports.vector_store import VectorStore

__all__ = [
    "file_chunks",
    "file_manifests",
    "file_signer",
    "hashing_embedder",
    "html_format",
    "ladybug_graph",
    "markdown_format",
    "minilm_embedder",
    "pdf_format",
    "plain_format",
    "sqlite_events",
    "sqlite_relational",
    "sqlite_snapshots",
    "sqlite_vectors",
    "word_format",
]


def sqlite_events(url: StoreUrl, context: AdapterContext) -> EventStore:
    """`sqlite:///events.db`: the log in one SQLite file."""
    from sagaledger.infrastructure.event_store import SqliteEventStore

    return SqliteEventStore(url.path_in(context.data_folder), context.participants)


def sqlite_snapshots(url: StoreUrl, context: AdapterContext) -> SnapshotStore:
    """`sqlite:///events.db`: a table of snapshots in an SQLite file, the log's by default."""
    from sagaledger.infrastructure.event_store import SqliteSnapshotStore

    return SqliteSnapshotStore(url.path_in(context.data_folder))


def file_chunks(url: StoreUrl, context: AdapterContext) -> ChunkStore:
    """`file:///chunks`: a folder per upload, a file per chunk."""
    from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore

    return LocalFolderChunkStore(url.path_in(context.data_folder))


def sqlite_vectors(url: StoreUrl, context: AdapterContext) -> VectorStore:
    """`sqlite:///vectors.db`: vectors in one SQLite file, searched by sqlite-vec."""
    from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore

    return SqliteVecVectorStore(url.path_in(context.data_folder))


def ladybug_graph(url: StoreUrl, context: AdapterContext) -> GraphStore:
    """`ladybug:///graph.lbug`: nodes and relations in one ladybug file."""
    from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore

    return LadybugGraphStore(url.path_in(context.data_folder))


def sqlite_relational(url: StoreUrl, context: AdapterContext) -> RelationalStore:
    """`sqlite:///documents.db`: rows in one SQLite file, through SQLAlchemy."""
    from sagaledger.infrastructure.relational_stores.sqlalchemy_store import (
        SqlAlchemyRelationalStore,
    )

    return SqlAlchemyRelationalStore(url.path_in(context.data_folder))


def file_manifests(url: StoreUrl, context: AdapterContext) -> ManifestStore:
    """`file:///manifests`: a JSON file per document."""
    from sagaledger.infrastructure.manifest_stores.folder import FolderManifestStore

    return FolderManifestStore(url.path_in(context.data_folder))


def file_signer(url: StoreUrl, context: AdapterContext) -> Signer:
    """`file:///keys`: an Ed25519 key in a folder, created if it is missing."""
    from sagaledger.infrastructure.keys.ed25519_signer import Ed25519Signer

    return Ed25519Signer.open(url.path_in(context.data_folder))


def hashing_embedder(_url: StoreUrl, _context: AdapterContext) -> Embedder:
    """`hashing`: hashed words and word pairs; needs nothing."""
    from sagaledger.infrastructure.embedders.hashing import HashingEmbedder

    return HashingEmbedder()


def minilm_embedder(_url: StoreUrl, _context: AdapterContext) -> Embedder:
    """`minilm`: the language model all-MiniLM-L6-v2; needs the extra `embeddings`."""
    from sagaledger.infrastructure.embedders.minilm import MiniLmEmbedder

    return MiniLmEmbedder()


def pdf_format(_url: StoreUrl, _context: AdapterContext) -> TextFormat:
    """`pdf`: PDF files."""
    from sagaledger.infrastructure.text.formats import PdfFormat

    return PdfFormat()


def word_format(_url: StoreUrl, _context: AdapterContext) -> TextFormat:
    """`word`: Word documents."""
    from sagaledger.infrastructure.text.formats import WordFormat

    return WordFormat()


def markdown_format(_url: StoreUrl, _context: AdapterContext) -> TextFormat:
    """`markdown`: text files with a Markdown name."""
    from sagaledger.infrastructure.text.formats import MarkdownFormat

    return MarkdownFormat()


def html_format(_url: StoreUrl, _context: AdapterContext) -> TextFormat:
    """`html`: HTML, recognised by the file name or the first bytes."""
    from sagaledger.infrastructure.text.formats import HtmlFormat

    return HtmlFormat()


def plain_format(_url: StoreUrl, _context: AdapterContext) -> TextFormat:
    """`plain`: every other file."""
    from sagaledger.infrastructure.text.formats import PlainFormat

    return PlainFormat()
