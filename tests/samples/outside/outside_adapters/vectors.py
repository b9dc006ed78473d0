"""Vectors in one SQLite file, each compared with the query."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from threading import RLock

from sagaledger.ports import (
    AdapterContext,
    DocumentOwner,
    EmbedderIdentity,
    EmbedderMismatchError,
    OwnershipCheck,
    StoreUrl,
    VectorHit,
    VectorRow,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS embedder (name TEXT, dimension INTEGER);
CREATE TABLE IF NOT EXISTS vectors (
    document_id TEXT, saga_id TEXT, passage INTEGER, vector BLOB,
    PRIMARY KEY (document_id, saga_id, passage));
"""
_OWNED = "WHERE document_id=? AND saga_id=?"


class PlainVectorStore:
    def __init__(self, path: str) -> None:
        self._lock = RLock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)

    @classmethod
    def open(cls, url: StoreUrl, context: AdapterContext) -> PlainVectorStore:
        return cls(str(url.path_in(context.data_folder)))

    @property
    def name(self) -> str:
        return "plain vectors"

    def prepare(self, embedder: EmbedderIdentity) -> None:
        with self._lock, self._database as database:
            row = database.execute("SELECT name, dimension FROM embedder").fetchone()
            if row is None:
                new = (embedder.name, embedder.dimension)
                database.execute("INSERT INTO embedder VALUES (?,?)", new)
            elif EmbedderIdentity(*row) != embedder:
                raise EmbedderMismatchError(EmbedderIdentity(*row), embedder)

    def upsert(
        self, owner: DocumentOwner, rows: Iterable[VectorRow], check_ownership: OwnershipCheck
    ) -> int:
        given = [(owner.document_id, owner.saga_id, row.passage, row.vector) for row in rows]
        with self._lock, self._database as database:
            database.execute(f"DELETE FROM vectors {_OWNED}", given[0][:2] if given else ("", ""))
            database.executemany("INSERT INTO vectors VALUES (?,?,?,?)", given)
            check_ownership()
        return len(given)

    def delete(self, owner: DocumentOwner) -> int:
        with self._lock, self._database as database:
            of_owner = (owner.document_id, owner.saga_id)
            return database.execute(f"DELETE FROM vectors {_OWNED}", of_owner).rowcount

    def count(self, owner: DocumentOwner) -> int:
        of_owner = (owner.document_id, owner.saga_id)
        query = f"SELECT count(*) FROM vectors {_OWNED}"
        with self._lock:
            (count,) = self._database.execute(query, of_owner).fetchone()
        return int(count)

    def owners(self) -> Iterator[DocumentOwner]:
        with self._lock:
            rows = self._database.execute("SELECT DISTINCT document_id, saga_id FROM vectors")
            return iter([DocumentOwner(*row) for row in rows])

    def search(self, vector: bytes, limit: int) -> Sequence[VectorHit]:
        with self._lock:
            rows = self._database.execute("SELECT * FROM vectors").fetchall()
        hits = [
            VectorHit(document_id, saga_id, passage, _score(vector, stored))
            for document_id, saga_id, passage, stored in rows
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    def close(self) -> None:
        self._database.close()


def _score(first: bytes, second: bytes) -> float:
    pairs = zip(_numbers(first), _numbers(second), strict=True)
    return float(sum(a * b for a, b in pairs))


def _numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 4}f", vector)
