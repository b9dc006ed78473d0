"""A downstream store of a new kind: which words each passage holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from threading import Lock

from sagaledger.ports import (
    AdapterContext,
    ChunkRow,
    DocumentOwner,
    DocumentRecord,
    OwnershipCheck,
    Passage,
    StoreUrl,
)

_OWNED = "WHERE document_id=? AND saga_id=?"


class TermStore:
    name = "terms"

    def __init__(self, path: str) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS terms "
            "(document_id TEXT, saga_id TEXT, passage INTEGER, words TEXT)"
        )

    @classmethod
    def open(cls, url: StoreUrl, context: AdapterContext) -> TermStore:
        return cls(str(url.path_in(context.data_folder)))

    def expected(self, document: DocumentRecord) -> int:
        return document.passage_count

    def upsert(
        self,
        document: DocumentRecord,
        _chunks: Iterable[ChunkRow],
        passages: Iterable[Passage],
        check_ownership: OwnershipCheck,
    ) -> int:
        owner = document.owner
        rows = [(*_key(owner), p.number, " ".join(sorted(set(p.text.split())))) for p in passages]
        with self._lock, self._database as database:
            database.execute(f"DELETE FROM terms {_OWNED}", _key(owner))
            database.executemany("INSERT INTO terms VALUES (?,?,?,?)", rows)
            check_ownership()
        return len(rows)

    def count(self, owner: DocumentOwner) -> int:
        with self._lock:
            query = f"SELECT count(*) FROM terms {_OWNED}"
            (count,) = self._database.execute(query, _key(owner)).fetchone()
        return int(count)

    def delete(self, owner: DocumentOwner) -> int:
        with self._lock, self._database as database:
            return database.execute(f"DELETE FROM terms {_OWNED}", _key(owner)).rowcount

    def owners(self) -> Iterator[DocumentOwner]:
        with self._lock:
            rows = self._database.execute("SELECT DISTINCT document_id, saga_id FROM terms")
            return iter([DocumentOwner(*row) for row in rows])

    def close(self) -> None:
        self._database.close()


def _key(owner: DocumentOwner) -> tuple[str, str]:
    return (owner.document_id, owner.saga_id)
