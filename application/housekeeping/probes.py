"""Probes: each writes to a store through its port, reads back, deletes, and leaves nothing.

Everything that a probe writes belongs to a throwaway owner with ids of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from sagaledger.application.engine.failures import finally_doing
from sagaledger.domain.document.manifest import SignedManifest
from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage, VectorRow
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError

if TYPE_CHECKING:
    from sagaledger.domain.ports.chunk_store import ChunkStore
    from sagaledger.domain.ports.downstream_store import DownstreamStore
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.domain.ports.event_store import EventStore
    from sagaledger.domain.ports.graph_store import GraphStore
    from sagaledger.domain.ports.manifest_store import ManifestStore
    from sagaledger.domain.ports.relational_store import RelationalStore
    from sagaledger.domain.ports.signer import Signer
    from sagaledger.domain.ports.snapshot_store import SnapshotStore
    from sagaledger.domain.ports.vector_store import VectorStore

__all__ = [
    "probe_chunks",
    "probe_downstream",
    "probe_embedder",
    "probe_events",
    "probe_items",
    "probe_manifests",
    "probe_signer",
    "probe_snapshots",
    "probe_vectors",
]

_TEXT = "a probe of the configuration"


def probe_events(log: EventStore) -> str:
    """Read the log only, because appended events cannot be removed.

    Raises:
        StorageBackendError: The log cannot be read.
    """
    return f"{log.last_position()} events"


def probe_snapshots(store: SnapshotStore) -> str:
    """Look for a snapshot that is not there: what was kept could not be removed again.

    Raises:
        StorageBackendError: it cannot be read.
    """
    store.newest(uuid4())
    return "can be read"


def probe_chunks(store: ChunkStore) -> str:
    """Write a chunk, read it back and delete it, with its prefix.

    Raises:
        StorageBackendError: The store failed, or returned something else than was written.
    """
    prefix = f"{uuid4().hex}/"
    key, content = f"{prefix}00000000", _TEXT.encode()
    store.open_prefix(prefix)
    with finally_doing(lambda: store.close_prefix(prefix), "the probe's prefix is left"):
        writer = store.create(key)
        writer.write(content)
        writer.commit()
        with finally_doing(lambda: store.delete(key), "the probe's chunk is left"):
            store.flush(prefix)
            with store.open(key) as stored:
                _compare(store.name, "bytes of a chunk", stored.read(), content)
            listed = [chunk.key for chunk in store.list(prefix)]
            _compare(store.name, "chunks", listed, [key])
        _compare(store.name, "chunks after deletion", list(store.list(prefix)), [])
    return "wrote, read and deleted a chunk"


def probe_vectors(store: VectorStore, embedder: Embedder) -> str:
    """Store a vector of the embedder, find it and delete it.

    This binds the store to the embedder, as the data folder is.

    Raises:
        EmbedderMismatchError: The store holds vectors of another embedder.
        StorageBackendError: The store failed, or returned something else than was written.
    """
    owner = _throwaway_document().owner
    (vector,) = embedder.embed([_TEXT])
    store.prepare(embedder.identity)
    with _removed(store.delete, owner):
        store.upsert(owner, [VectorRow(0, vector)], _allowed)
        _compare(store.name, "vectors", store.count(owner), 1)
        found = any(hit.document_id == owner.document_id for hit in store.search(vector, 50))
        _compare(store.name, "search results", found, expected=True)
    _compare(store.name, "vectors after deletion", store.count(owner), 0)
    return "wrote, found and deleted a vector"


def probe_items(store: GraphStore | RelationalStore) -> str:
    """Store a document with a chunk and a passage, count its items and delete them.

    Raises:
        StorageBackendError: The store failed, or returned something else than was written.
    """
    document = _throwaway_document()
    return _probed(store, document, document.item_count)


def probe_downstream(store: DownstreamStore) -> str:
    """Store a document with a chunk and a passage, count its items and delete them.

    Raises:
        StorageBackendError: The store failed, or returned something else than was written.
    """
    document = _throwaway_document()
    return _probed(store, document, store.expected(document))


def probe_manifests(store: ManifestStore, signer: Signer) -> str:
    """Store a signed record, read it back and delete it.

    Raises:
        StorageBackendError: The store failed, or returned something else than was written.
    """
    owner = _throwaway_document().owner
    text = f'{{"saga_id": "{owner.saga_id}"}}'.encode()
    record = SignedManifest(text, signer.sign(text), signer.public_key, signer.key_id).to_bytes()
    with _removed(store.delete, owner):
        store.put(owner, record, _allowed)
        _compare(store.name, "bytes of a manifest", store.get(owner.document_id), record)
    _compare(store.name, "manifests after deletion", store.count(owner), 0)
    return "wrote, read and deleted a manifest"


def probe_signer(signer: Signer) -> str:
    """Sign a text, and check the signature.

    Raises:
        StorageBackendError: the signature does not belong to the text and the key.
    """
    text = _TEXT.encode()
    signature = signer.sign(text)
    _compare("signer", "signatures", signer.is_valid(text, signature, signer.public_key), True)
    return f"key {signer.key_id}"


def probe_embedder(embedder: Embedder) -> str:
    """Embed a text.

    Raises:
        StorageBackendError: the vector has another length than the embedder says.
    """
    identity = embedder.identity
    (vector,) = embedder.embed([_TEXT])
    _compare("embedder", "bytes of a vector", len(vector), 4 * identity.dimension)
    return f"{identity.name}, {identity.dimension} dimensions"


def _probed(
    store: GraphStore | RelationalStore | DownstreamStore, document: DocumentRecord, expected: int
) -> str:
    chunk = ChunkRow(0, document.size_bytes, document.sha256, f"{document.upload_id}/00000000")
    with _removed(store.delete, document.owner):
        store.upsert(document, [chunk], [Passage(0, 1, _TEXT)], _allowed)
        _compare(store.name, "items", store.count(document.owner), expected)
    _compare(store.name, "items after deletion", store.count(document.owner), 0)
    return "wrote, counted and deleted a document"


def _throwaway_document() -> DocumentRecord:
    saga_id, upload_id = uuid4().hex, uuid4().hex
    content = _TEXT.encode()
    return DocumentRecord(
        document_id=f"probe-{upload_id[:24]}-{saga_id[:12]}",
        saga_id=saga_id,
        upload_id=upload_id,
        namespace="probe",
        content_id=f"probe:sha256:{'0' * 64}",
        sha256="0" * 64,
        source_name="probe",
        size_bytes=len(content),
        chunk_size_bytes=len(content),
        chunk_count=1,
        passage_count=1,
        media_type="text/plain",
        text_note="",
        classification="internal",
        embedder="probe",
        created_us=0,
    )


@contextmanager
def _removed(delete: Callable[[DocumentOwner], object], owner: DocumentOwner) -> Iterator[None]:
    with finally_doing(lambda: delete(owner), "what the probe wrote is left"):
        yield


def _compare(store: str, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise StorageBackendError(store, "probe", f"{what}: {found!r}, not {expected!r}")


def _allowed() -> None:
    """No other worker can claim a probe."""
