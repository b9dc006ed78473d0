"""What every graph store promises beyond the nodes it keeps, and the relations in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import ladybug
import pytest
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.infrastructure.graph_stores.ladybug_store import LadybugGraphStore
from sagaledger.infrastructure.graph_stores.memory import MemoryGraphStore

from tests.support.store_rows import allowed, chunk_rows, document_of, owner_of, passage_rows

MAKERS: dict[str, Callable[[Path], GraphStore]] = {
    "ladybug": lambda folder: LadybugGraphStore(folder / "graph.lbug"),
    "memory": lambda _: MemoryGraphStore(),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    opened = MAKERS[request.param](tmp_path)
    yield opened
    opened.close()


def ids(*numbers: int) -> list[str]:
    """The ids of these documents."""
    return [owner_of(number).document_id for number in numbers]


def test_documents_of_the_same_content_are_linked_both_ways(store: GraphStore) -> None:
    for number, content in ((1, "aa"), (2, "bb"), (3, "aa"), (4, "aa")):
        store.upsert(document_of(number, content), [], [], allowed)

    assert store.same_content(ids(1)[0]) == ids(3, 4)
    assert store.same_content(ids(3)[0]) == ids(1, 4)
    assert store.same_content(ids(2)[0]) == []


def test_document_written_again_is_linked_once(store: GraphStore) -> None:
    for number in (1, 2, 2, 1):
        store.upsert(document_of(number), [], [], allowed)

    assert store.same_content(ids(1)[0]) == ids(2)
    assert store.same_content(ids(2)[0]) == ids(1)


def test_document_deleted_is_linked_to_nothing(store: GraphStore) -> None:
    for number in (1, 2, 3):
        store.upsert(document_of(number), [], [], allowed)

    store.delete(owner_of(2))

    assert store.same_content(ids(1)[0]) == ids(3)
    assert store.same_content(ids(2)[0]) == []


def test_unknown_document_has_no_links(store: GraphStore) -> None:
    assert store.same_content("default-zz-9") == []


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
