"""Our relational stores keep what every relational store promises."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.ports.relational_store import RelationalStore
from sagaledger.infrastructure.relational_stores.memory import MemoryRelationalStore
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.testing import RelationalStoreContract


class TestSqlAlchemy(RelationalStoreContract):
    def open_store(self, folder: Path) -> RelationalStore:
        return SqlAlchemyRelationalStore(folder / "relational.sqlite")


class TestMemory(RelationalStoreContract):
    durable = False

    def open_store(self, folder: Path) -> RelationalStore:
        return MemoryRelationalStore()
