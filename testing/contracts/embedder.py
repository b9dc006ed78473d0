"""What every embedder promises."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.testing.contracts.contract import Contract

__all__ = ["EmbedderContract"]


class EmbedderContract(Contract):
    """The tests of an `Embedder`.

    Example:
        class TestMyEmbedder(EmbedderContract):
            def open_embedder(self) -> Embedder:
                return MyEmbedder()
    """

    def open_embedder(self) -> Embedder:
        """An embedder. Each call may make a new one, and two of them agree."""
        raise NotImplementedError

    @pytest.fixture
    def embedder(self) -> Embedder:
        """The embedder."""
        return self.open_embedder()

    def test_identity_has_a_name_and_a_dimension_and_stays(self, embedder: Embedder) -> None:
        identity = embedder.identity

        assert identity.name
        assert identity.dimension > 0
        assert self.open_embedder().identity == identity

    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(texts=st.lists(st.text(st.characters(), max_size=200), max_size=5))
    def test_any_texts_have_unit_or_zero_vectors_in_order(self, texts: list[str]) -> None:
        embedder = self.open_embedder()

        vectors = embedder.embed(texts)

        assert len(vectors) == len(texts)
        for text, vector in zip(texts, vectors, strict=True):
            numbers = _numbers(vector)
            assert len(numbers) == embedder.identity.dimension
            assert math.hypot(*numbers) == pytest.approx(1, abs=1e-4) or not any(numbers)
            alone = _numbers(embedder.embed([text])[0])
            assert numbers == pytest.approx(alone, abs=1e-4), "its neighbours change its vector"

    def test_same_text_has_the_same_vector_of_another_instance(self, embedder: Embedder) -> None:
        assert embedder.embed(["one text"]) == self.open_embedder().embed(["one text"])

    def test_no_texts_have_no_vectors(self, embedder: Embedder) -> None:
        assert list(embedder.embed([])) == []


def _numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 4}f", vector)
