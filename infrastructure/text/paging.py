"""Text of formats without pages, cut into blocks that serve as pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sagaledger.domain.document.records import Page

__all__ = ["BLOCK_CHARS", "clean_text", "last_word_end", "paged", "text_blocks"]

BLOCK_CHARS = 64 * 1024
"""A block has at most this many characters."""


def paged(pieces: Iterable[str]) -> Iterator[Page]:
    """Pages of at most `BLOCK_CHARS` characters, numbered from 1, with no word cut in two.

    A word longer than a page is cut.
    """
    for number, block in enumerate(text_blocks(pieces, BLOCK_CHARS), start=1):
        yield Page(number, clean_text(block))


def text_blocks(pieces: Iterable[str], size: int) -> Iterator[str]:
    """The same text in blocks of at most `size` characters, cut after white space if there is any.

    Only one block and one piece are in memory.
    """
    rest = ""
    for piece in pieces:
        rest += piece
        start = 0
        while len(rest) - start > size:
            end = last_word_end(rest, start, start + size)
            yield rest[start:end]
            start = end
        rest = rest[start:]
    if rest:
        yield rest


def last_word_end(text: str, start: int, end: int) -> int:
    """Where to cut `text[start:end]` so that no word is cut: after its last white space.

    Without white space it is `end`.
    """
    stretch = text[start:end]
    if stretch[-1:].isspace():
        return end
    last_word = stretch.rsplit(None, 1)[-1:]
    cut = end - sum(map(len, last_word))
    return cut if cut > start else end


def clean_text(text: str) -> str:
    """The text with a space for each control character: databases refuse some of them."""
    return _CONTROL.sub(" ", text)


_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f\ufffe\uffff]")
