"""The readable text of HTML, parsed as a stream."""

from __future__ import annotations

import codecs
import errno
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import TextIO

from lxml import etree
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.records import Page
from sagaledger.domain.errors import StorageBackendError, StorageFullError
from sagaledger.infrastructure.text.decoding import TextEncoding
from sagaledger.infrastructure.text.paging import BLOCK_CHARS, last_word_end, paged

__all__ = [
    "HTML_MEDIA_TYPE",
    "INLINE_ELEMENTS",
    "declared_encoding",
    "html_fragment_text",
    "html_pages",
    "looks_like_html",
]

HTML_MEDIA_TYPE = "text/html"
INLINE_ELEMENTS = frozenset(
    "a abbr acronym b bdi bdo big cite code data del "  # noqa: SIM905 - a list has 35 lines
    "dfn em font i ins kbd label mark meter nobr output q s samp small span strike strong sub sup "
    "time tt u var wbr".split()
)
"""Elements that may occur inside a word; all others separate words."""
SKIPPED_ELEMENTS = frozenset({"script", "style", "noscript", "template"})
"""Elements whose content is not shown."""
MAX_TOKEN_BYTES = 64 * 1024 * 1024
"""The maximum size of a comment, script or tag; the parser holds it in memory."""
TEXT_RUN_CHARS = 1024 * 1024
"""Longer text between two tags is split, because the parser holds it in memory."""


def looks_like_html(sample: str) -> bool:
    """Whether a decoded sample starts like an HTML page."""
    return _HTML_START.match(sample) is not None


def declared_encoding(sample: bytes, encoding: TextEncoding) -> TextEncoding:
    """The encoding that the page declares, or the given one.

    As in browsers, a byte order mark takes precedence over the declaration.
    """
    if encoding.mark_bytes:
        return encoding
    found = _CHARSET.search(sample[:_CHARSET_WITHIN])
    if found is None:
        return encoding
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return encoding
    name = _READ_AS.get(name, name)
    if name not in _PAGE_ENCODINGS:
        return encoding
    return TextEncoding(name, "replace")


def html_pages(pieces: Iterable[str]) -> Iterator[Page]:
    """The text between the tags, buffered in an anonymous temporary file.

    Raises:
        TextDamagedError: a comment, script or tag is too large to be parsed.
        StorageBackendError: the temporary file cannot be written.
    """
    # The parser releases the input that it has read only if it pulls the input itself.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as text:
        _parse(pieces, text)
        text.seek(0)
        yield from paged(iter(lambda: text.read(BLOCK_CHARS), ""))


def html_fragment_text(fragment: str) -> str:
    """The text of a short HTML fragment."""
    collector = _TextCollector()
    parser = etree.HTMLParser(target=collector, encoding="utf-8", huge_tree=True)
    parser.feed(fragment.encode())
    parser.close()
    return collector.take()


class _TextCollector:
    """The parser's target: collects text, with a line end for each element that separates words."""

    def __init__(self) -> None:
        self.progress = 0
        """The number of parser events so far."""
        self._parts: list[str] = []
        self._skipped_depth = 0

    def start(self, tag: str, _attributes: object) -> None:
        self.progress += 1
        if tag in SKIPPED_ELEMENTS:
            self._skipped_depth += 1
        self._separate(tag)

    def end(self, tag: str) -> None:
        self.progress += 1
        if tag in SKIPPED_ELEMENTS:
            self._skipped_depth -= 1
        self._separate(tag)

    def data(self, text: str) -> None:
        self.progress += 1
        if not self._skipped_depth:
            self._parts.append(text)

    def close(self) -> None:
        pass

    def take(self) -> str:
        """The text collected since the last call."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def _separate(self, tag: str) -> None:
        if tag not in INLINE_ELEMENTS and not self._skipped_depth:
            self._parts.append("\n")


class _ParserInput:
    """The parser's input. Each read first moves the text collected so far to a file."""

    def __init__(self, pieces: Iterable[str], collector: _TextCollector, text: TextIO) -> None:
        self._pieces = _split_long_text(pieces)
        self._collector = collector
        self._text = text
        self._data = b""
        self._progress = 0
        self._since_progress = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes of UTF-8; empty at the end."""
        self.store_text()
        if not self._data:
            self._data = next(self._pieces, "").encode("utf-8", errors="replace")
        data, self._data = self._data[:size], self._data[size:]
        self._watch_progress(len(data))
        return data

    def store_text(self) -> None:
        """Move the text collected so far to the file."""
        found = self._collector.take()
        try:
            self._text.write(found)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            kind = StorageFullError if full else StorageBackendError
            raise kind("temporary text", "write", str(error)) from error

    def _watch_progress(self, size: int) -> None:
        if self._progress != self._collector.progress:
            self._progress = self._collector.progress
            self._since_progress = 0
        self._since_progress += size
        if self._since_progress > MAX_TOKEN_BYTES:
            raise TextDamagedError(
                f"damaged HTML: a comment, script or tag of more than {MAX_TOKEN_BYTES} bytes"
            )


def _parse(pieces: Iterable[str], text: TextIO) -> None:
    collector = _TextCollector()
    source = _ParserInput(pieces, collector, text)
    parser = etree.HTMLParser(target=collector, encoding="utf-8", huge_tree=True)
    etree.parse(source, parser)
    source.store_text()


def _split_long_text(pieces: Iterable[str]) -> Iterator[str]:
    """Insert the invisible tag `<wbr>` into very long text without tags."""
    run = 0
    for piece in pieces:
        last_tag = piece.rfind("<")
        run = run + len(piece) if last_tag < 0 else len(piece) - last_tag
        if run > TEXT_RUN_CHARS and last_tag < 0:
            end = last_word_end(piece, 0, len(piece))
            yield f"{piece[:end]}<wbr>{piece[end:]}"
            run = len(piece) - end
        else:
            yield piece


_HTML_START = re.compile(
    r"\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET_WITHIN = 1024
_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
# Encodings that browsers read as a superset (WHATWG Encoding standard).
_READ_AS = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
}
# Python's other codecs are not text encodings, or are unsafe in browsers.
_PAGE_ENCODINGS = frozenset(
    "big5hkscs cp866 cp874 cp932 cp949 cp1250 cp1251 "  # noqa: SIM905 - a list has 33 lines
    "cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 euc_jp gb18030 iso2022_jp iso8859-2 "
    "iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 "
    "iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic".split()
)
