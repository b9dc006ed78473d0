"""Markdown as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from sagaledger.domain.document.records import Page
from sagaledger.infrastructure.text.html import INLINE_ELEMENTS, html_fragment_text
from sagaledger.infrastructure.text.paging import last_word_end, paged

__all__ = ["MARKDOWN_MEDIA_TYPE", "markdown_pages"]

MARKDOWN_MEDIA_TYPE = "text/markdown"
PARSED_CHARS = 16 * 1024
"""The maximum text per parser call: the parser holds the whole result in memory."""


def markdown_pages(pieces: Iterable[str]) -> Iterator[Page]:
    """The text without markup. A link gives its text, an image its description."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return paged(_plain_text(parser.parse(part)) for part in _parts(pieces))


def _parts(pieces: Iterable[str]) -> Iterator[str]:
    """Split the text into parts that can be parsed alone, at empty lines outside fenced code.

    Fenced code that is longer than a part continues as fenced code in the next part.
    """
    rest = ""
    fence = ""
    for piece in pieces:
        rest += piece
        start = 0
        while len(rest) - start > PARSED_CHARS:
            end, next_fence = _cut(rest[start : start + PARSED_CHARS], fence)
            yield _in_fence(fence, rest[start : start + end])
            start += end
            fence = next_fence
        rest = rest[start:]
    if rest:
        yield _in_fence(fence, rest)


def _cut(part: str, fence: str) -> tuple[int, str]:
    """The position of the cut, and the fence that is open there."""
    position = best = 0
    line_starts = [(0, fence)]
    for line in part.splitlines(keepends=True):
        position += len(line)
        fence = _fence_after(line, fence)
        line_starts.append((position, fence))
        if not fence and not line.strip():
            best = position
    if best:
        return best, ""
    # The last line is incomplete, so it goes to the next part unless it is the only line.
    for start, open_fence in reversed(line_starts):
        if 0 < start < len(part):
            return start, open_fence
    return last_word_end(part, 0, len(part)), line_starts[0][1]


def _fence_after(line: str, fence: str) -> str:
    found = _FENCE.match(line)
    if found is None:
        return fence
    delimiter, info = found[1], found[2].strip()
    if not fence:
        return "" if delimiter[0] == "`" and "`" in info else delimiter
    closes = delimiter[0] == fence[0] and len(delimiter) >= len(fence) and not info
    return "" if closes else fence


def _in_fence(fence: str, part: str) -> str:
    return f"{fence}\n{part}" if fence else part


def _plain_text(tokens: Sequence[Token]) -> str:
    text = []
    for token in tokens:
        if token.type == "inline":
            text.append(_inline_text(token.children or ()))
        elif token.type in ("fence", "code_block"):
            text.append(token.content)
        elif token.type == "html_block":
            text.append(html_fragment_text(token.content))
        elif token.nesting < 1:
            text.append("\n")
    return "".join(text)


def _inline_text(tokens: Sequence[Token]) -> str:
    text = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            text.append("\n")
        elif token.type == "html_inline":
            found = _TAG.match(token.content)
            inside_word = found is not None and found[1].lower() in INLINE_ELEMENTS
            text.append("" if inside_word else " ")
        elif token.type == "image":
            text.append(_inline_text(token.children or ()))
        else:
            text.append(token.content)
    return "".join(text)


_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
