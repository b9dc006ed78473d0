"""How text is cut into passages."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.document.passages import OVERLAP_CHARS, PASSAGE_CHARS, split_passages
from sagaledger.domain.document.records import Page, Passage


@st.composite
def numbered_words(draw: st.DrawFn) -> list[list[str]]:
    """Pages of words, no two of them equal, none longer than 60 characters."""
    lengths = draw(st.lists(st.lists(st.integers(0, 50), max_size=40), max_size=8))
    number = 0
    pages = []
    for page in lengths:
        words = []
        for length in page:
            words.append(f"{number}{'x' * length}")
            number += 1
        pages.append(words)
    return pages


# The longest word fits beside the greatest overlap, so that no word has to be cut.
sizes = st.integers(120, 400)
overlaps = st.integers(0, 60)


def pages_of(pages: list[list[str]], separator: str = " ") -> list[Page]:
    return [Page(number, separator.join(words)) for number, words in enumerate(pages, start=1)]


@given(numbered_words(), sizes, overlaps)
def test_any_text_split_keeps_every_word_in_order(
    pages: list[list[str]], size: int, overlap: int
) -> None:
    passages = list(split_passages(pages_of(pages), size, overlap))

    all_words = [word for page in pages for word in page]
    first_seen = dict.fromkeys(word for passage in passages for word in passage.text.split(" "))
    assert list(first_seen) == all_words
    for passage in passages:
        words = passage.text.split(" ")
        start = all_words.index(words[0])
        assert words == all_words[start : start + len(words)]


@given(numbered_words(), sizes, overlaps)
def test_any_text_split_respects_size_and_numbers_passages_from_zero(
    pages: list[list[str]], size: int, overlap: int
) -> None:
    passages = list(split_passages(pages_of(pages), size, overlap))

    assert [passage.number for passage in passages] == list(range(len(passages)))
    assert all(0 < len(passage.text) <= size for passage in passages)


@given(numbered_words(), sizes, overlaps)
def test_any_text_split_repeats_at_most_the_overlap_and_always_moves_on(
    pages: list[list[str]], size: int, overlap: int
) -> None:
    passages = list(split_passages(pages_of(pages), size, overlap))

    for earlier, later in pairwise(passages):
        known = set(earlier.text.split(" "))
        repeated = [word for word in later.text.split(" ") if word in known]
        assert len(" ".join(repeated)) <= overlap
        assert not set(later.text.split(" ")) <= known


@given(numbered_words(), sizes, overlaps)
def test_any_text_split_names_the_page_each_passage_begins_on(
    pages: list[list[str]], size: int, overlap: int
) -> None:
    passages = list(split_passages(pages_of(pages), size, overlap))

    page_of = {word: number for number, page in enumerate(pages, start=1) for word in page}
    for passage in passages:
        assert passage.page == page_of[passage.text.split(" ")[0]]


@given(st.lists(st.text(max_size=300), max_size=6), st.integers(1, 50), st.data())
def test_arbitrary_text_split_keeps_every_character_that_is_not_space(
    texts: list[str], size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    pages = [Page(number, text) for number, text in enumerate(texts, start=1)]

    passages = list(split_passages(pages, size, overlap))

    assert all(0 < len(passage.text) <= size for passage in passages)
    assert {c for p in passages for c in p.text if not c.isspace()} == {
        c for text in texts for c in text if not c.isspace()
    }
    assert passages == list(split_passages(pages, size, overlap))


@given(numbered_words(), st.sampled_from(["\n", "\t ", "\u00a0", "  \r\n "]))
def test_white_space_of_any_kind_is_folded(pages: list[list[str]], separator: str) -> None:
    spaced = list(split_passages(pages_of(pages, separator), 200, 20))

    assert spaced == list(split_passages(pages_of(pages), 200, 20))


def test_long_text_split_by_default_overlaps_about_as_much_as_stated() -> None:
    words = [f"word{number:04}" for number in range(1000)]

    passages = list(split_passages([Page(1, " ".join(words))]))

    assert all(len(passage.text) > PASSAGE_CHARS - 10 for passage in passages[:-1])
    for earlier, later in pairwise(passages):
        repeated = [word for word in later.text.split(" ") if word in earlier.text]
        assert OVERLAP_CHARS - 10 < len(" ".join(repeated)) <= OVERLAP_CHARS


def test_word_longer_than_a_passage_is_cut_and_loses_nothing() -> None:
    word = "".join(chr(0x4E00 + number) for number in range(250))

    passages = list(split_passages([Page(1, word)], size=100, overlap=10))

    assert re.sub(r"\s", "", "".join(passage.text for passage in passages)) == word


def test_passage_over_a_page_end_belongs_to_the_page_it_begins_on() -> None:
    pages = [Page(1, "one two"), Page(2, ""), Page(3, "three four")]

    passages = list(split_passages(pages, size=13, overlap=0))

    assert passages == [Passage(0, 1, "one two three"), Passage(1, 3, "four")]


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_text_without_words_has_no_passages(text: str) -> None:
    assert list(split_passages([Page(1, text)])) == []


def test_overlap_holds_exactly_as_many_words_as_fit() -> None:
    text = [Page(1, "aa bb cc dd ee ff")]

    # Two words and the space between them fill an overlap of five, and not one of four.
    assert [p.text for p in split_passages(text, 11, 5)] == ["aa bb cc dd", "cc dd ee ff"]
    assert [p.text for p in split_passages(text, 11, 4)] == ["aa bb cc dd", "dd ee ff"]


def test_overlap_leaves_room_for_the_word_that_begins_the_next_passage() -> None:
    text = [Page(1, "aa bb cccccc d")]

    assert [p.text for p in split_passages(text, 9, 3)] == ["aa bb", "bb cccccc", "d"]


@pytest.mark.parametrize(("size", "overlap"), [(100, 100), (100, 101), (100, -1), (0, 0)])
def test_impossible_overlap_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        list(split_passages([], size, overlap))
