"""Our graph stores keep what every graph store promises; and the relations in the file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import ladybug
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore
from sagaledger.infrastructure.graph_stores.memory import MemoryGraphStore
from sagaledger.testing import GraphStoreContract
from sagaledger.testing.document_rows import chunk_rows, document_of, owner_of, passage_rows
from sagaledger.testing.writers import allowed


class TestLadybug(GraphStoreContract):
    def open_store(self, folder: Path) -> GraphStore:
        return LadybugGraphStore(folder / "graph.lbug")


class TestMemory(GraphStoreContract):
    durable = False

    def open_store(self, folder: Path) -> GraphStore:
        return MemoryGraphStore()


def ids(*numbers: int) -> list[str]:
    """The ids of these documents."""
    return [owner_of(number).document_id for number in numbers]


def relations(path: Path, kind: str) -> list[tuple[str, str]]:
    """From which to which node the relations of a kind lead, as another program reads them."""
    database = ladybug.Database(str(path), read_only=True)
    connection = ladybug.Connection(database)
    result = connection.execute(f"MATCH (a)-[:{kind}]->(b) RETURN a.id, b.id ORDER BY a.id, b.id")
    assert isinstance(result, ladybug.QueryResult)
    rows = [(str(a), str(b)) for a, b in map(list, result.get_all())]
    result.close()
    connection.close()
    database.close()
    return rows


def test_nodes_written_are_part_of_their_document_and_lead_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    store = LadybugGraphStore(path)
    document = ids(1)[0]

    for _ in range(2):
        store.upsert(document_of(1), chunk_rows(3), passage_rows(2), allowed)

    chunks = [f"{document}#c{number}" for number in range(3)]
    passages = [f"{document}#p{number}" for number in range(2)]
    assert relations(path, "PART_OF") == [(chunk, document) for chunk in chunks]
    assert relations(path, "NEXT_CHUNK") == list(pairwise(chunks))
    assert relations(path, "EXTRACTED_FROM") == [(passage, document) for passage in passages]
    assert relations(path, "NEXT_PASSAGE") == [(passages[0], passages[1])]


def test_nodes_of_several_batches_lead_to_the_next_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    store = LadybugGraphStore(path)

    store.upsert(document_of(1), [], passage_rows(4_100), allowed)

    links = relations(path, "NEXT_PASSAGE")
    assert len(links) == 4_099
    assert (f"{ids(1)[0]}#p1999", f"{ids(1)[0]}#p2000") in links
    assert (f"{ids(1)[0]}#p3999", f"{ids(1)[0]}#p4000") in links


def test_nodes_deleted_leave_no_relation(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    store = LadybugGraphStore(path)
    store.upsert(document_of(1), chunk_rows(3), passage_rows(2), allowed)
    store.upsert(document_of(2), chunk_rows(2), [], allowed)

    store.delete(owner_of(1))

    assert relations(path, "PART_OF") == [(f"{ids(2)[0]}#c{n}", ids(2)[0]) for n in range(2)]
    assert relations(path, "SAME_CONTENT") == relations(path, "EXTRACTED_FROM") == []


def test_file_whose_making_was_cut_short_before_it_had_tables_is_made_whole(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    ladybug.Database(str(path)).close()

    store = LadybugGraphStore(path)

    assert store.upsert(document_of(1), chunk_rows(2), [], allowed) == 3
    assert store.count(owner_of(1)) == 3
