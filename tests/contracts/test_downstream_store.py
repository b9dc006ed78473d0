"""The members of the list of downstream stores keep what the list relies on."""

from __future__ import annotations

from pathlib import Path

from sagaledger.application.ingestion.shipped_stores import GraphIndex, RelationalIndex
from sagaledger.domain.ports.downstream_store import DownstreamStore
from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore
from sagaledger.infrastructure.relational_stores.sqlalchemy_store import SqlAlchemyRelationalStore
from sagaledger.testing import DownstreamStoreContract

from tests.support.search_index import SearchIndex


class TestGraphIndex(DownstreamStoreContract):
    more_than_a_transaction = 21_000

    def open_store(self, folder: Path) -> DownstreamStore:
        return GraphIndex(LadybugGraphStore(folder / "graph.lbug"))


class TestRelationalIndex(DownstreamStoreContract):
    more_than_a_transaction = 10_500

    def open_store(self, folder: Path) -> DownstreamStore:
        return RelationalIndex(SqlAlchemyRelationalStore(folder / "relational.sqlite"))


class TestSearchIndex(DownstreamStoreContract):
    def open_store(self, folder: Path) -> DownstreamStore:
        return SearchIndex(folder / "search.db")
