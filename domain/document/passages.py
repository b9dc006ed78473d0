"""Splits a document's text into overlapping passages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sagaledger.domain.document.records import Page, Passage

__all__ = ["OVERLAP_CHARS", "PASSAGE_CHARS", "split_passages"]

PASSAGE_CHARS = 1000
"""The maximum number of characters of a passage."""
OVERLAP_CHARS = 150
"""The next passage repeats about this many characters from the end of the one before."""


def split_passages(
    pages: Iterable[Page], size: int = PASSAGE_CHARS, overlap: int = OVERLAP_CHARS
) -> Iterator[Passage]:
    """Split the text at word boundaries and collapse white space. Memory holds one passage.

    A passage may continue on the next page; its page number is that of its first word. Every word
    is in at least one passage. Only a word longer than a passage is cut.
    """
    if not 0 <= overlap < size:
        raise ValueError("the overlap must be at least 0 and less than the passage size")
    number = 0
    words: list[tuple[str, int]] = []
    length = 0
    for word, page in _words(pages, size - overlap):
        if words and length + 1 + len(word) > size:
            yield _passage(number, words)
            number += 1
            words, length = _tail(words, min(overlap, size - len(word) - 1))
        words.append((word, page))
        length += len(word) + (1 if length else 0)
    if words:
        yield _passage(number, words)


def _words(pages: Iterable[Page], longest: int) -> Iterator[tuple[str, int]]:
    for page in pages:
        for word in page.text.split():
            for start in range(0, len(word), longest):
                yield word[start : start + longest], page.number


def _tail(words: list[tuple[str, int]], room: int) -> tuple[list[tuple[str, int]], int]:
    kept: list[tuple[str, int]] = []
    length = 0
    for word in reversed(words):
        longer = length + len(word[0]) + (1 if kept else 0)
        if longer > room:
            break
        kept.append(word)
        length = longer
    return kept[::-1], length


def _passage(number: int, words: list[tuple[str, int]]) -> Passage:
    return Passage(number, words[0][1], " ".join(word for word, _ in words))
