"""What every vector store promises beyond the rows it keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.document.errors import EmbedderMismatchError, VectorInvalidError
from sagaledger.domain.document.records import VectorRow
from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.infrastructure.vector_stores.memory import MemoryVectorStore
from sagaledger.infrastructure.vector_stores.sqlite_vec_store import SqliteVecVectorStore

from tests.support.store_rows import DIMENSION, allowed, owner_of, vector
from tests.support.stores import EMBEDDER

ONE, TWO = owner_of(1), owner_of(2)
MAKERS: dict[str, Callable[[Path], VectorStore]] = {
    "sqlite-vec": lambda folder: SqliteVecVectorStore(folder / "vectors.sqlite"),
    "memory": lambda _: MemoryVectorStore(),
}
NUMBERS = st.floats(-1, 1, width=32).filter(lambda number: abs(number) > 0.01)


@pytest.fixture(params=MAKERS)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    opened = MAKERS[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def store(bare: VectorStore) -> VectorStore:
    bare.prepare(EMBEDDER)
    return bare


def found(store: VectorStore, query: bytes, limit: int = 10) -> list[tuple[str, int]]:
    """Document and passage of each hit."""
    return [(hit.document_id, hit.passage) for hit in store.search(query, limit)]


def test_search_finds_the_nearest_first_whoever_owns_them(store: VectorStore) -> None:
    store.upsert(ONE, [VectorRow(0, vector(1, 0)), VectorRow(1, vector(0, 1))], allowed)
    store.upsert(TWO, [VectorRow(0, vector(1, 0.5))], allowed)

    hits = store.search(vector(1, 0), 2)

    assert [(hit.document_id, hit.saga_id, hit.passage) for hit in hits] == [
        (ONE.document_id, ONE.saga_id, 0),
        (TWO.document_id, TWO.saga_id, 0),
    ]
    assert hits[0].score == pytest.approx(1.0)
    assert hits[1].score == pytest.approx(0.894, abs=0.001)


def test_score_is_the_cosine_from_minus_one_to_one(store: VectorStore) -> None:
    rows = [VectorRow(0, vector(2, 0)), VectorRow(1, vector(0, 3)), VectorRow(2, vector(-4, 0))]
    store.upsert(ONE, rows, allowed)

    scores = [hit.score for hit in store.search(vector(0.5, 0), 3)]

    assert scores == pytest.approx([1.0, 0.0, -1.0], abs=1e-6)


def test_zero_vector_is_counted_and_near_to_nothing(store: VectorStore) -> None:
    store.upsert(ONE, [VectorRow(0, vector(0)), VectorRow(1, vector(1))], allowed)

    assert store.count(ONE) == 2
    assert found(store, vector(1)) == [(ONE.document_id, 1)]
    assert store.search(vector(0), 5) == []
    assert store.delete(ONE) == 2


def test_deleted_vectors_are_not_found(store: VectorStore) -> None:
    for owner in (ONE, TWO):
        store.upsert(owner, [VectorRow(0, vector(1))], allowed)

    store.delete(ONE)

    assert found(store, vector(1)) == [(TWO.document_id, 0)]


def test_vectors_replaced_are_found_as_they_are_now(store: VectorStore) -> None:
    store.upsert(ONE, [VectorRow(0, vector(1, 0))], allowed)
    store.upsert(TWO, [VectorRow(0, vector(1, 1))], allowed)

    store.upsert(ONE, [VectorRow(7, vector(-1, 0))], allowed)

    assert found(store, vector(1, 0)) == [(TWO.document_id, 0), (ONE.document_id, 7)]


@pytest.mark.parametrize("limit", [0, -1])
def test_search_for_no_hits_finds_none(store: VectorStore, limit: int) -> None:
    store.upsert(ONE, [VectorRow(0, vector(1))], allowed)

    assert store.search(vector(1), limit) == []


def test_search_in_a_store_never_prepared_finds_none(bare: VectorStore) -> None:
    assert bare.search(vector(1), 5) == []
    assert bare.count(ONE) == 0


def test_store_never_prepared_takes_no_vectors(bare: VectorStore) -> None:
    with pytest.raises(StorageBackendError, match="not prepared"):
        bare.upsert(ONE, [VectorRow(0, vector(1))], allowed)

    assert bare.count(ONE) == 0


@pytest.mark.parametrize("size", [0, 3, 4 * DIMENSION - 1, 4 * DIMENSION + 4])
def test_vector_of_another_length_is_refused(store: VectorStore, size: int) -> None:
    with pytest.raises(VectorInvalidError, match=f"it has {size} bytes"):
        store.upsert(ONE, [VectorRow(0, vector(1)), VectorRow(1, b"\x01" * size)], allowed)
    with pytest.raises(VectorInvalidError, match=f"it has {size} bytes"):
        store.search(b"\x01" * size, 1)

    assert store.count(ONE) == 0


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_vector_that_is_not_made_of_numbers_is_refused(store: VectorStore, wrong: float) -> None:
    with pytest.raises(VectorInvalidError, match="not a number"):
        store.upsert(ONE, [VectorRow(0, vector(1)), VectorRow(1, vector(0, wrong))], allowed)
    with pytest.raises(VectorInvalidError, match="not a number"):
        store.search(vector(wrong), 1)

    assert store.count(ONE) == 0


def test_store_prepared_for_an_embedder_refuses_any_other(store: VectorStore) -> None:
    store.upsert(ONE, [VectorRow(0, vector(1))], allowed)
    store.prepare(EMBEDDER)

    for other in (EmbedderIdentity("other", DIMENSION), EmbedderIdentity("test", 8)):
        with pytest.raises(EmbedderMismatchError) as refusal:
            store.prepare(other)
        assert (refusal.value.stored, refusal.value.given) == (EMBEDDER, other)

    assert found(store, vector(1)) == [(ONE.document_id, 0)]


def test_embedder_is_remembered_when_the_file_is_opened_again(tmp_path: Path) -> None:
    first = SqliteVecVectorStore(tmp_path / "vectors.sqlite")
    first.prepare(EMBEDDER)
    first.close()

    again = SqliteVecVectorStore(tmp_path / "vectors.sqlite")

    with pytest.raises(EmbedderMismatchError):
        again.prepare(EmbedderIdentity("other", DIMENSION))
    again.close()


@settings(max_examples=30, deadline=None)
@given(
    vectors=st.lists(st.tuples(*[NUMBERS] * DIMENSION), min_size=1, max_size=20),
    query=st.tuples(*[NUMBERS] * DIMENSION),
)
def test_every_adapter_gives_the_same_scores(
    tmp_path_factory: pytest.TempPathFactory,
    vectors: list[tuple[float, ...]],
    query: tuple[float, ...],
) -> None:
    rows = [VectorRow(number, vector(*numbers)) for number, numbers in enumerate(vectors)]
    scores = []
    for maker in MAKERS.values():
        store = maker(tmp_path_factory.mktemp("vectors"))
        store.prepare(EMBEDDER)
        store.upsert(ONE, rows, allowed)
        scores.append([hit.score for hit in store.search(vector(*query), len(rows))])
        store.close()

    assert len(scores[0]) == len(rows)
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)
