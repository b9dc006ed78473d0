"""What every vector store promises in addition to stored rows."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sagaledger.domain.document.errors import EmbedderMismatchError, VectorInvalidError
from sagaledger.domain.document.records import VectorRow
from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.ownership_check import OwnershipCheck
from sagaledger.domain.ports.vector_store import VectorStore
from sagaledger.testing.contracts.contract import needs_durability
from sagaledger.testing.contracts.stored_rows import StoredRowsContract
from sagaledger.testing.document_rows import DIMENSION, EMBEDDER, owner_of, vector, vector_rows
from sagaledger.testing.writers import allowed

__all__ = ["VectorStoreContract"]

_ONE, _TWO = owner_of(1), owner_of(2)
_NUMBERS = st.floats(-1, 1, width=32).filter(lambda number: abs(number) > 0.01)


class VectorStoreContract(StoredRowsContract[VectorStore]):
    """The tests of a `VectorStore`.

    Example:
        class TestMyVectorStore(VectorStoreContract):
            def open_bare_store(self, folder: Path) -> VectorStore:
                return MyVectorStore(folder / "vectors.db")
    """

    def open_bare_store(self, folder: Path) -> VectorStore:
        """Open the store that keeps its data in this folder, not prepared for any embedder yet.

        If the data is elsewhere (on a server), use the folder's path as its name there.
        """
        raise NotImplementedError

    def open_store(self, folder: Path) -> VectorStore:
        """The store, prepared for vectors of four numbers."""
        store = self.open_bare_store(folder)
        store.prepare(EMBEDDER)
        return store

    def write(
        self, store: VectorStore, number: int, count: int, check_ownership: OwnershipCheck = allowed
    ) -> int:
        """Write `count` vectors for a document."""
        return store.upsert(owner_of(number), vector_rows(count), check_ownership)

    @pytest.fixture
    def bare(self, tmp_path: Path) -> Iterator[VectorStore]:
        """A store that is not prepared for any embedder yet."""
        opened = self.open_bare_store(tmp_path)
        yield opened
        opened.close()

    def test_search_finds_the_nearest_first_whoever_owns_them(self, store: VectorStore) -> None:
        store.upsert(_ONE, [VectorRow(0, vector(1, 0)), VectorRow(1, vector(0, 1))], allowed)
        store.upsert(_TWO, [VectorRow(0, vector(1, 0.5))], allowed)

        hits = store.search(vector(1, 0), 2)

        assert [(hit.document_id, hit.saga_id, hit.passage) for hit in hits] == [
            (_ONE.document_id, _ONE.saga_id, 0),
            (_TWO.document_id, _TWO.saga_id, 0),
        ]
        assert hits[0].score == pytest.approx(1.0)
        assert hits[1].score == pytest.approx(0.894, abs=0.001)

    def test_score_is_the_cosine_from_minus_one_to_one(self, store: VectorStore) -> None:
        rows = [VectorRow(0, vector(2, 0)), VectorRow(1, vector(0, 3)), VectorRow(2, vector(-4, 0))]
        store.upsert(_ONE, rows, allowed)

        scores = [hit.score for hit in store.search(vector(0.5, 0), 3)]

        assert scores == pytest.approx([1.0, 0.0, -1.0], abs=1e-6)

    def test_zero_vector_is_counted_and_near_to_nothing(self, store: VectorStore) -> None:
        store.upsert(_ONE, [VectorRow(0, vector(0)), VectorRow(1, vector(1))], allowed)

        assert store.count(_ONE) == 2
        assert _found(store, vector(1)) == [(_ONE.document_id, 1)]
        assert store.search(vector(0), 5) == []
        assert store.delete(_ONE) == 2

    def test_deleted_vectors_are_not_found(self, store: VectorStore) -> None:
        for owner in (_ONE, _TWO):
            store.upsert(owner, [VectorRow(0, vector(1))], allowed)

        store.delete(_ONE)

        assert _found(store, vector(1)) == [(_TWO.document_id, 0)]

    def test_vectors_replaced_are_found_as_they_are_now(self, store: VectorStore) -> None:
        store.upsert(_ONE, [VectorRow(0, vector(1, 0))], allowed)
        store.upsert(_TWO, [VectorRow(0, vector(1, 1))], allowed)

        store.upsert(_ONE, [VectorRow(7, vector(-1, 0))], allowed)

        assert _found(store, vector(1, 0)) == [(_TWO.document_id, 0), (_ONE.document_id, 7)]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_search_for_no_hits_finds_none(self, store: VectorStore, limit: int) -> None:
        store.upsert(_ONE, [VectorRow(0, vector(1))], allowed)

        assert store.search(vector(1), limit) == []

    def test_search_in_a_store_never_prepared_finds_none(self, bare: VectorStore) -> None:
        assert bare.search(vector(1), 5) == []
        assert bare.count(_ONE) == 0

    def test_store_never_prepared_takes_no_vectors(self, bare: VectorStore) -> None:
        with pytest.raises(StorageBackendError):
            bare.upsert(_ONE, [VectorRow(0, vector(1))], allowed)

        assert bare.count(_ONE) == 0

    @pytest.mark.parametrize("size", [0, 3, 4 * DIMENSION - 1, 4 * DIMENSION + 4])
    def test_vector_of_another_length_is_refused(self, store: VectorStore, size: int) -> None:
        with pytest.raises(VectorInvalidError):
            store.upsert(_ONE, [VectorRow(0, vector(1)), VectorRow(1, b"\x01" * size)], allowed)
        with pytest.raises(VectorInvalidError):
            store.search(b"\x01" * size, 1)

        assert store.count(_ONE) == 0

    @pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
    def test_vector_that_is_not_made_of_numbers_is_refused(
        self, store: VectorStore, wrong: float
    ) -> None:
        with pytest.raises(VectorInvalidError):
            store.upsert(_ONE, [VectorRow(0, vector(1)), VectorRow(1, vector(0, wrong))], allowed)
        with pytest.raises(VectorInvalidError):
            store.search(vector(wrong), 1)

        assert store.count(_ONE) == 0

    def test_store_prepared_for_an_embedder_refuses_any_other(self, store: VectorStore) -> None:
        store.upsert(_ONE, [VectorRow(0, vector(1))], allowed)
        store.prepare(EMBEDDER)

        for other in (EmbedderIdentity("other", DIMENSION), EmbedderIdentity("test", 8)):
            with pytest.raises(EmbedderMismatchError) as refusal:
                store.prepare(other)
            assert (refusal.value.stored, refusal.value.given) == (EMBEDDER, other)

        assert _found(store, vector(1)) == [(_ONE.document_id, 0)]

    @needs_durability
    def test_embedder_is_remembered_when_the_store_is_opened_again(self, tmp_path: Path) -> None:
        self.open_store(tmp_path).close()

        again = self.open_bare_store(tmp_path)

        with pytest.raises(EmbedderMismatchError):
            again.prepare(EmbedderIdentity("other", DIMENSION))
        again.close()

    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(
        vectors=st.lists(st.tuples(*[_NUMBERS] * DIMENSION), min_size=1, max_size=20),
        query=st.tuples(*[_NUMBERS] * DIMENSION),
    )
    def test_any_vectors_have_their_cosines_in_falling_order(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        vectors: list[tuple[float, ...]],
        query: tuple[float, ...],
    ) -> None:
        rows = [VectorRow(number, vector(*numbers)) for number, numbers in enumerate(vectors)]
        store = self.open_store(tmp_path_factory.mktemp("vectors"))
        store.upsert(_ONE, rows, allowed)

        hits = store.search(vector(*query), len(rows))

        cosines = [_cosine(vector(*query), row.vector) for row in rows]
        assert [hit.score for hit in hits] == pytest.approx(sorted(cosines, reverse=True), abs=1e-5)
        assert [hit.score for hit in hits] == pytest.approx(
            [cosines[hit.passage] for hit in hits], abs=1e-5
        )
        store.close()


def _found(store: VectorStore, query: bytes, limit: int = 10) -> list[tuple[str, int]]:
    """Document and passage of each hit."""
    return [(hit.document_id, hit.passage) for hit in store.search(query, limit)]


def _cosine(one: bytes, other: bytes) -> float:
    a, b = _numbers(one), _numbers(other)
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def _numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{DIMENSION}f", vector)
