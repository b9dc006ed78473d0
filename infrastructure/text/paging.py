"""Splits the text of formats without pages into blocks, which serve as pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sagaledger.domain.document.records import Page

__all__ = ["BLOCK_CHARS", "clean_text", "last_word_end", "paged", "text_blocks"]

BLOCK_CHARS = 64 * 1024
"""The maximum number of characters of a block."""


def paged(pieces: Iterable[str]) -> Iterator[Page]:
    """Pages of at most `BLOCK_CHARS` characters, numbered from 1, split between words.

    Only a word longer than a page is cut.
    """
    for number, block in enumerate(text_blocks(pieces, BLOCK_CHARS), start=1):
        yield Page(number, clean_text(block))


def text_blocks(pieces: Iterable[str], size: int) -> Iterator[str]:
    """The same text in blocks of at most `size` characters, split after white space if possible.

    Memory holds one block and one piece at a time.
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
    """The position after the last white space in `text[start:end]`; without any, `end`."""
    section = text[start:end]
    if section[-1:].isspace():
        return end
    last_word = section.rsplit(None, 1)[-1:]
    cut = end - sum(map(len, last_word))
    return cut if cut > start else end


def clean_text(text: str) -> str:
    """Replace control characters by spaces, because databases refuse some of them."""
    return _CONTROL.sub(" ", text)


_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f\ufffe\uffff]")
