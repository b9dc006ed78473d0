"""Every downstream store that the product has, and rows for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore
from sagaledger.infrastructure.graph_stores.memory import MemoryGraphStore
from sagaledger.infrastructure.relational_stores.memory import MemoryRelationalStore
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.infrastructure.vector_stores.memory import MemoryVectorStore
from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore

from tests.support.store_rows import (
    DIMENSION,
    allowed,
    chunk_rows,
    document_of,
    owner_of,
    passage_rows,
    vector_rows,
)

__all__ = ["DURABLE", "EMBEDDER", "MORE_THAN_A_BATCH", "STORES", "AnyStore", "write"]

AnyVectorStore: TypeAlias = SqliteVecVectorStore | MemoryVectorStore
AnyStore: TypeAlias = (
    AnyVectorStore
    | LadybugGraphStore
    | MemoryGraphStore
    | SqlAlchemyRelationalStore
    | MemoryRelationalStore
)

EMBEDDER = EmbedderIdentity("test", DIMENSION)
MORE_THAN_A_BATCH = {"vector": 2_500, "graph": 21_000, "relational": 10_500}
"""As many rows as take a store of this name several transactions."""


def _prepared(store: SqliteVecVectorStore | MemoryVectorStore) -> AnyStore:
    store.prepare(EMBEDDER)
    return store


DURABLE: dict[str, Callable[[Path], AnyStore]] = {
    "sqlite-vec": lambda folder: _prepared(SqliteVecVectorStore(folder / "vectors.sqlite")),
    "ladybug": lambda folder: LadybugGraphStore(folder / "graph.lbug"),
    "sqlalchemy": lambda folder: SqlAlchemyRelationalStore(folder / "relational.sqlite"),
}
STORES: dict[str, Callable[[Path], AnyStore]] = {
    **DURABLE,
    "memory vectors": lambda _: _prepared(MemoryVectorStore()),
    "memory graph": lambda _: MemoryGraphStore(),
    "memory relations": lambda _: MemoryRelationalStore(),
}


def write(
    store: AnyStore, number: int, count: int, check_ownership: OwnershipCheck = allowed
) -> int:
    """Leave `count` rows for a document: vectors; or itself, up to ten chunks, and passages."""
    if isinstance(store, AnyVectorStore):
        return store.upsert(owner_of(number), vector_rows(count), check_ownership)
    chunks = chunk_rows(min(10, count - 1))
    passages = passage_rows(count - 1 - len(chunks))
    return store.upsert(document_of(number), chunks, passages, check_ownership)
