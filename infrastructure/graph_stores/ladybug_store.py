"""Document, chunk and passage nodes in one ladybug file, written in turns.

The document node is created first and deleted last, and every other node is created together with
its relation to the document. A delete or an upsert after a crash therefore finds all nodes. The
relations from one node to the next are written last in a turn, after a checkpoint of its nodes:
the engine keeps each relation table that occurs in its log in memory, 10 MB for the first one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ladybug
from sagaledger.domain.document.records import ChunkRow, DocumentRecord, Passage
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.infrastructure.graph_stores.ladybug_file import LadybugFile

if TYPE_CHECKING:
    from sagaledger.domain.ports.ownership_check import OwnershipCheck

__all__ = ["LadybugGraphStore"]

_NAME = "graph"
_BATCH = 200
"""Nodes per statement. The engine needs several times the memory of a statement's rows."""
_TURN = 20_000
"""About how many nodes one turn writes or deletes."""
_UPSERT_ROOM_BYTES = 32 * 1024 * 1024
_DELETE_ROOM_BYTES = 8 * 1024 * 1024
"""Measured: a turn logs 12 MB of new nodes, or 4 MB of deletions."""
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
_TABLES = "CALL show_tables() RETURN name"
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
# The next number is computed before the second MATCH: with one condition over both nodes the
# engine (0.22.0) compares every pair.
_LINK_NEXT = (
    "MATCH (a:{label}) WHERE a.document_id = $document_id AND a.saga_id = $saga_id "
    "AND a.number >= $first AND a.number < $last WITH a, a.number + 1 AS next "
    "MATCH (b:{label}) WHERE b.document_id = $document_id AND b.saga_id = $saga_id "
    "AND b.number = next CREATE (a)-[:NEXT_{relation}]->(b)"
)
_LABELS = ("Passage", "Chunk", "Document")


class LadybugGraphStore:
    """A durable graph store. Safe for several threads and processes, one at a time."""

    def __init__(self, path: Path, wait_s: float = 30.0) -> None:
        """Use this file; create it if it is missing.

        Args:
            path: the database file.
            wait_s: how many seconds to wait for a turn at the file.

        Raises:
            DatabaseCorruptError: the file is not a graph database.
            StorageBackendError: the file cannot be opened.
        """
        self._file = LadybugFile(path, _NAME, wait_s)
        is_new = not path.exists()
        if is_new:
            self._file.require_room("open", _UPSERT_ROOM_BYTES)
        with self._file.turn("open") as connection:
            if is_new or len(_rows(connection, _TABLES, {})) < _SCHEMA.count(";"):
                # One transaction: otherwise each statement would wait for the disk.
                connection.execute(f"BEGIN TRANSACTION; {_SCHEMA} COMMIT;")

    @property
    def name(self) -> str:
        """The store's name in events and residue."""
        return _NAME

    def upsert(
        self,
        document: DocumentRecord,
        chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        """Replace the owner's nodes and relations by these. Returns the number of nodes."""
        owner = document.owner
        writes = chain(
            [_document_write(document)],
            _node_writes(owner, "Chunk", _CREATE_CHUNKS, _chunk_nodes(owner, chunks)),
            _node_writes(owner, "Passage", _CREATE_PASSAGES, _passage_nodes(owner, passages)),
        )
        count = 0
        # The rows of a turn are collected before it starts, because producing them may be slow.
        turn = _next_turn(writes)
        while turn:
            self._file.require_room("upsert", _UPSERT_ROOM_BYTES)
            with self._file.turn("upsert") as connection:
                check_ownership()
                # Delete the nodes of an earlier attempt first, in separate turns if they are many.
                is_clear = count > 0 or self._delete_some(connection, owner) < _TURN
                if is_clear:
                    self._write(connection, owner, turn)
            if is_clear:
                count += sum(len(write.numbers) for write in turn)
                turn = _next_turn(writes)
            if turn:
                self._file.pause()
        return count

    def delete(self, owner: DocumentOwner) -> int:
        """Delete the owner's nodes with all their relations. Returns the number of nodes."""
        count = 0
        while True:
            with self._file.turn("delete") as connection:
                removed = self._delete_some(connection, owner)
                self._file.shorten_log(connection)
            count += removed
            if removed < _TURN:
                return count
            self._file.pause()

    def count(self, owner: DocumentOwner) -> int:
        """The number of the owner's nodes."""
        with self._file.turn("count") as connection:
            return sum(_count(connection, label, owner) for label in ("Passage:Chunk", "Document"))

    def owners(self) -> Iterator[DocumentOwner]:
        """Every owner that has nodes."""
        found: set[DocumentOwner] = set()
        with self._file.turn("list") as connection:
            for label in _LABELS:
                document = "n.id" if label == "Document" else "n.document_id"
                query = f"MATCH (n:{label}) RETURN DISTINCT {document}, n.saga_id"
                found |= {DocumentOwner(*row) for row in _rows(connection, query, {})}
        return iter(sorted(found, key=lambda owner: (owner.document_id, owner.saga_id)))

    def same_content(self, document_id: str) -> Sequence[str]:
        """The ids of the other documents with the same content."""
        query = (
            "MATCH (a:Document)-[:SAME_CONTENT]->(b:Document) WHERE a.id = $id "
            "RETURN DISTINCT b.id ORDER BY b.id"
        )
        with self._file.turn("read") as connection:
            return [str(row[0]) for row in _rows(connection, query, {"id": document_id})]

    def close(self) -> None:
        """Do nothing: the file is closed between calls."""

    def _write(
        self, connection: ladybug.Connection, owner: DocumentOwner, turn: Sequence[_Write]
    ) -> None:
        for write in turn:
            for statement, parameters in write.statements:
                connection.execute(statement, parameters)
        self._file.shorten_log(connection)
        for label in ("Chunk", "Passage"):
            numbers = [write.numbers for write in turn if write.label == label]
            if numbers and numbers[-1].stop > 1:
                # The first node of this turn follows the last node of the turn before.
                span = {"first": numbers[0].start - 1, "last": numbers[-1].stop - 1}
                link = _LINK_NEXT.format(label=label, relation=label.upper())
                connection.execute(link, {**span, **_keys(owner)})
        self._file.shorten_log(connection)

    def _delete_some(self, connection: ladybug.Connection, owner: DocumentOwner) -> int:
        left = _TURN
        for label in _LABELS:
            # Counted first, for the engine does not say how many it deleted.
            removed = min(_count(connection, label, owner), left)
            if removed:
                self._file.require_room("delete", _DELETE_ROOM_BYTES)
                connection.execute(
                    f"MATCH (n:{label}) WHERE {_owned(label)} WITH n LIMIT {removed} "
                    "DETACH DELETE n",
                    _keys(owner),
                )
                left -= removed
        return _TURN - left


@dataclass(frozen=True, slots=True)
class _Write:
    """Some nodes of one kind and their relations to the document, as statements in order."""

    label: str
    numbers: range
    """The nodes' numbers within the document."""
    statements: Sequence[tuple[str, dict[str, Any]]]


def _next_turn(writes: Iterator[_Write]) -> list[_Write]:
    turn: list[_Write] = []
    nodes = 0
    while nodes < _TURN and (write := next(writes, None)) is not None:
        turn.append(write)
        nodes += len(write.numbers)
    return turn


def _document_write(document: DocumentRecord) -> _Write:
    keys = {"id": document.document_id, "content_id": document.content_id}
    properties = {
        **keys,
        "saga_id": document.saga_id,
        "name": document.source_name,
        "sha256": document.sha256,
        "size_bytes": document.size_bytes,
        "classification": document.classification,
    }
    statements: list[tuple[str, dict[str, Any]]] = [
        (_CREATE_DOCUMENT, properties),
        (_LINK_SAME_CONTENT, keys),
    ]
    return _Write("Document", range(1), statements)


def _chunk_nodes(owner: DocumentOwner, chunks: Iterable[ChunkRow]) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        yield {
            "id": f"{owner.document_id}#c{chunk.index}",
            "number": chunk.index,
            "size_bytes": chunk.size_bytes,
            "sha256": chunk.sha256,
            "key": chunk.key,
        }


def _passage_nodes(owner: DocumentOwner, passages: Iterable[Passage]) -> Iterator[dict[str, Any]]:
    for passage in passages:
        yield {
            "id": f"{owner.document_id}#p{passage.number}",
            "number": passage.number,
            "page": passage.page,
        }


def _node_writes(
    owner: DocumentOwner, label: str, create: str, nodes: Iterator[dict[str, Any]]
) -> Iterator[_Write]:
    while batch := list(islice(nodes, _BATCH)):
        numbers = range(batch[0]["number"], batch[-1]["number"] + 1)
        yield _Write(label, numbers, [(create, {"rows": batch, **_keys(owner)})])


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
