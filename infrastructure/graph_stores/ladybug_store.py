"""Document, chunk and passage nodes in one ladybug file.

One process at a time may hold the file, so it is opened for each call and closed after it, and a
lock file beside it lets other processes queue for it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

import ladybug
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.domain.store_ports import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.values import DocumentOwner

__all__ = ["LadybugGraphStore"]

_NAME = "graph"
_BATCH = 2000
_BUFFER_BYTES = 128 * 1024 * 1024
_THREADS = 2
_POLL_S = 0.02
_SCHEMA = """
CREATE NODE TABLE IF NOT EXISTS Document(id STRING PRIMARY KEY, saga_id STRING, name STRING,
    content_id STRING, sha256 STRING, size_bytes INT64, classification STRING);
CREATE NODE TABLE IF NOT EXISTS Chunk(id STRING PRIMARY KEY, document_id STRING,
    saga_id STRING, number INT64, size_bytes INT64, sha256 STRING, key STRING);
CREATE NODE TABLE IF NOT EXISTS Passage(id STRING PRIMARY KEY, document_id STRING,
    saga_id STRING, number INT64, page INT64);
CREATE REL TABLE IF NOT EXISTS PART_OF(FROM Chunk TO Document);
CREATE REL TABLE IF NOT EXISTS EXTRACTED_FROM(FROM Passage TO Document);
CREATE REL TABLE IF NOT EXISTS NEXT_CHUNK(FROM Chunk TO Chunk);
CREATE REL TABLE IF NOT EXISTS NEXT_PASSAGE(FROM Passage TO Passage);
CREATE REL TABLE IF NOT EXISTS SAME_CONTENT(FROM Document TO Document);
"""
_CREATE_DOCUMENT = (
    "CREATE (:Document {id: $id, saga_id: $saga_id, name: $name, content_id: $content_id, "
    "sha256: $sha256, size_bytes: $size_bytes, classification: $classification})"
)
_LINK_SAME_CONTENT = (
    "MATCH (a:Document), (b:Document) WHERE a.id = $id AND b.content_id = $content_id "
    "AND b.id <> $id CREATE (a)-[:SAME_CONTENT]->(b), (b)-[:SAME_CONTENT]->(a)"
)
_CREATE_CHUNKS = (
    "UNWIND $rows AS r MATCH (d:Document {id: $document_id}) "
    "CREATE (:Chunk {id: r.id, document_id: $document_id, saga_id: $saga_id, number: r.number, "
    "size_bytes: r.size_bytes, sha256: r.sha256, key: r.key})-[:PART_OF]->(d)"
)
_CREATE_PASSAGES = (
    "UNWIND $rows AS r MATCH (d:Document {id: $document_id}) "
    "CREATE (:Passage {id: r.id, document_id: $document_id, saga_id: $saga_id, "
    "number: r.number, page: r.page})-[:EXTRACTED_FROM]->(d)"
)
# One join over the document's nodes; looking each pair up by its ids took fifty times as long.
_LINK_NEXT = (
    "MATCH (a:{label}), (b:{label}) WHERE a.document_id = $document_id AND a.saga_id = $saga_id "
    "AND b.document_id = $document_id AND b.saga_id = $saga_id AND b.number = a.number + 1 "
    "CREATE (a)-[:{relation}]->(b)"
)
_LABELS = ("Passage", "Chunk", "Document")


class LadybugGraphStore:
    """A durable graph store. Safe for several threads and processes, one at a time."""

    def __init__(self, path: Path, wait_s: float = 30.0) -> None:
        """Use a file, made on first use; `wait_s` is how long to queue for it.

        Raises:
            StorageBackendError: it cannot be opened.
        """
        self._path = path
        self._wait_s = wait_s
        self._lock = RLock()
        with self._connected("open") as connection:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)

    @property
    def name(self) -> str:
        """What events and residue call this store."""
        return _NAME

    def upsert(
        self, document: DocumentRecord, chunks: Iterable[ChunkRow], passages: Iterable[Passage]
    ) -> int:
        """Leave exactly these nodes and their relations for the owner. Returns how many nodes."""
        with self._connected("upsert") as connection:
            _delete(connection, document.owner)
            keys = {"id": document.document_id, "content_id": document.content_id}
            with _transaction(connection):
                connection.execute(
                    _CREATE_DOCUMENT,
                    {
                        **keys,
                        "saga_id": document.saga_id,
                        "name": document.source_name,
                        "sha256": document.sha256,
                        "size_bytes": document.size_bytes,
                        "classification": document.classification,
                    },
                )
                connection.execute(_LINK_SAME_CONTENT, keys)
            chunk_rows = (
                {
                    "id": f"{document.document_id}#c{chunk.index}",
                    "number": chunk.index,
                    "size_bytes": chunk.size_bytes,
                    "sha256": chunk.sha256,
                    "key": chunk.key,
                }
                for chunk in chunks
            )
            passage_rows = (
                {
                    "id": f"{document.document_id}#p{passage.number}",
                    "number": passage.number,
                    "page": passage.page,
                }
                for passage in passages
            )
            owner = document.owner
            count = _create_chain(connection, owner, _CREATE_CHUNKS, "Chunk", chunk_rows)
            count += _create_chain(connection, owner, _CREATE_PASSAGES, "Passage", passage_rows)
        return 1 + count

    def delete(self, owner: DocumentOwner) -> int:
        """Remove the owner's nodes and every relation of theirs. Returns how many nodes."""
        with self._connected("delete") as connection:
            return _delete(connection, owner)

    def count(self, owner: DocumentOwner) -> int:
        """How many nodes the owner has."""
        with self._connected("count") as connection:
            return sum(_count(connection, label, owner) for label in _LABELS)

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""
        found: set[DocumentOwner] = set()
        with self._connected("list") as connection:
            for label in _LABELS:
                document = "n.id" if label == "Document" else "n.document_id"
                query = f"MATCH (n:{label}) RETURN DISTINCT {document}, n.saga_id"
                found |= {DocumentOwner(*row) for row in _rows(connection, query, {})}
        return iter(sorted(found, key=lambda owner: (owner.document_id, owner.saga_id)))

    def same_content(self, document_id: str) -> Sequence[str]:
        """Ids of the other documents linked as holding the same bytes."""
        query = (
            "MATCH (a:Document)-[:SAME_CONTENT]->(b:Document) WHERE a.id = $id "
            "RETURN DISTINCT b.id ORDER BY b.id"
        )
        with self._connected("read") as connection:
            return [str(row[0]) for row in _rows(connection, query, {"id": document_id})]

    def close(self) -> None:
        """Nothing is held between calls."""

    @contextmanager
    def _connected(self, operation: str) -> Iterator[ladybug.Connection]:
        with self._lock, self._queued(operation):
            try:
                database = ladybug.Database(
                    str(self._path), buffer_pool_size=_BUFFER_BYTES, max_num_threads=_THREADS
                )
                try:
                    connection = ladybug.Connection(database)
                    try:
                        yield connection
                    finally:
                        connection.close()
                finally:
                    database.close()
            except RuntimeError as error:
                # All that the engine reports is a RuntimeError with words.
                full = "No space left" in str(error)
                kind = StorageFullError if full else StorageBackendError
                raise kind(_NAME, operation, str(error)) from error

    @contextmanager
    def _queued(self, operation: str) -> Iterator[None]:
        queue = self._path.with_name(f"{self._path.name}.lock")
        try:
            descriptor = os.open(queue, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageBackendError(_NAME, operation, str(error)) from error
        try:
            until_s = time.monotonic() + self._wait_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if time.monotonic() > until_s:
                        cause = f"another process held the file for {self._wait_s:g} s"
                        raise StorageBackendError(_NAME, operation, cause) from error
                    time.sleep(_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _create_chain(
    connection: ladybug.Connection,
    owner: DocumentOwner,
    create: str,
    label: str,
    rows: Iterator[dict[str, Any]],
) -> int:
    keys = _keys(owner)
    count = 0
    while batch := list(islice(rows, _BATCH)):
        with _transaction(connection):
            connection.execute(create, {"rows": batch, **keys})
        count += len(batch)
    if count > 1:
        with _transaction(connection):
            connection.execute(
                _LINK_NEXT.format(label=label, relation=f"NEXT_{label.upper()}"), keys
            )
    return count


def _delete(connection: ladybug.Connection, owner: DocumentOwner) -> int:
    count = 0
    for label in _LABELS:
        # Counted first, for the engine does not say how many it deleted.
        count += _count(connection, label, owner)
        with _transaction(connection):
            connection.execute(
                f"MATCH (n:{label}) WHERE {_owned(label)} DETACH DELETE n", _keys(owner)
            )
    return count


def _count(connection: ladybug.Connection, label: str, owner: DocumentOwner) -> int:
    query = f"MATCH (n:{label}) WHERE {_owned(label)} RETURN count(n)"
    return int(_rows(connection, query, _keys(owner))[0][0])


def _owned(label: str) -> str:
    document = "n.id" if label == "Document" else "n.document_id"
    return f"{document} = $document_id AND n.saga_id = $saga_id"


def _keys(owner: DocumentOwner) -> dict[str, str]:
    return {"document_id": owner.document_id, "saga_id": owner.saga_id}


def _rows(connection: ladybug.Connection, query: str, keys: dict[str, Any]) -> list[list[Any]]:
    result = connection.execute(query, keys)
    assert isinstance(result, ladybug.QueryResult)
    rows = [list(row) for row in result.get_all()]
    result.close()
    return rows


@contextmanager
def _transaction(connection: ladybug.Connection) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
