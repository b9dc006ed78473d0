"""Vectors from hashed words."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.document.values import EmbedderIdentity
from sagaledger.infrastructure.embedders.hashing import HashingEmbedder

EMBEDDER = HashingEmbedder()


def numbers(vector: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector) // 4}f", vector)


def cosine(first: str, second: str) -> float:
    one, other = (numbers(vector) for vector in EMBEDDER.embed([first, second]))
    return sum(a * b for a, b in zip(one, other, strict=True))


@given(st.lists(st.text(st.characters(), max_size=200), max_size=5))
def test_any_texts_embedded_give_unit_or_zero_vectors_in_order(texts: list[str]) -> None:
    vectors = EMBEDDER.embed(texts)

    assert vectors == [EMBEDDER.embed([text])[0] for text in texts]
    for vector in vectors:
        assert len(vector) == 4 * 384
        length = math.hypot(*numbers(vector))
        assert length == 0 or math.isclose(length, 1, abs_tol=1e-5)


@pytest.mark.parametrize("text", ["", " \n", "... --- !"])
def test_text_without_words_has_a_zero_vector(text: str) -> None:
    assert EMBEDDER.embed([text]) == [bytes(4 * 384)]


def test_known_text_has_the_vector_of_version_1() -> None:
    # A change of these numbers needs another name: stored vectors would no longer fit.
    assert EMBEDDER.identity == EmbedderIdentity("hashing-mmh3-v1", 384)

    [vector] = HashingEmbedder(dimension=8).embed(["Saga ledger saga"])

    known = (0.4128586, 0, 0, 0, 0.4128586, 0.6990303, -0.4128586, 0)
    assert numbers(vector) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("GROSSE Saga", "große saga"),
        ("ﬁle \uff21\uff22", "file ab"),
        ("one, two!", "one two"),
    ],
)
def test_case_width_and_punctuation_do_not_matter(text: str, same: str) -> None:
    assert EMBEDDER.embed([text]) == EMBEDDER.embed([same])


def test_word_order_matters_a_little() -> None:
    in_order = "the store keeps the event log"

    assert cosine(in_order, in_order) == pytest.approx(1, abs=1e-5)
    assert 0.5 < cosine(in_order, "log event the keeps store the") < 0.999


QUERY = "how does rollback remove chunks from the store"
RELATED = (
    "After a failure the rollback removes all chunks from the chunk store, last step first, and "
    "the store is asked what is left."
)
UNRELATED = (
    "The orchard yields apples and pears in early autumn; a frost in May would harm its blossom.",
    "Der Vertrag endet mit Ablauf des dritten Jahres, ohne dass es einer Kündigung bedarf.",
)


@pytest.mark.parametrize("unrelated", UNRELATED)
def test_related_text_scores_higher_than_unrelated(unrelated: str) -> None:
    assert cosine(QUERY, RELATED) > cosine(QUERY, unrelated) + 0.15


def test_chinese_text_without_spaces_is_found_by_a_part_of_it() -> None:
    text = "数据库中的每个事件都会被记录并且可以验证"

    assert cosine("事件记录", text) > cosine("天气预报", text) + 0.2


def test_half_a_surrogate_pair_is_embedded_like_any_unknown_character() -> None:
    [vector] = EMBEDDER.embed(["broken \udc80 name"])

    assert math.isclose(math.hypot(*numbers(vector)), 1, abs_tol=1e-5)


def test_dimension_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension"):
        HashingEmbedder(0)
