"""The text of Word documents, parsed as a stream from the zip package."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO

from lxml import etree
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.records import ExtractedText
from sagaledger.infrastructure.text.kept_failure import FailureKeepingFile
from sagaledger.infrastructure.text.paging import paged

__all__ = ["DOCX_MEDIA_TYPE", "docx_text"]

DOCX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAX_DOCUMENT_BYTES = 2 * 1024**3
"""The maximum size of the main part, decompressed."""
MAX_RATIO = 200
"""The maximum compression ratio of the main part; real documents have 5 to 30."""
RATIO_FREE_BYTES = 64 * 1024**2
"""The ratio is not checked for a main part up to this size."""
MAX_DIRECTORY_BYTES = 16 * 1024**2
"""The maximum size of the package's directory; the zip module holds it in memory."""
MAX_TOKEN_BYTES = 64 * 1024**2
"""The maximum size of a comment or tag; the parser holds it in memory."""


def docx_text(file: BinaryIO, *, expected: bool) -> ExtractedText | None:
    """The text of paragraphs and tables, or None if the zip file is not a Word document.

    If the package cannot be listed and a Word document is `expected`, it counts as a damaged one.
    """
    found = _has_word_document(file)
    if found:
        return ExtractedText(DOCX_MEDIA_TYPE, "", paged(_document_text(file)))
    if found is None and expected:
        note = "damaged Word document: its table of contents cannot be read"
        return ExtractedText(DOCX_MEDIA_TYPE, note, iter(()))
    return None


class _TextCollector:
    """The parser's target: collects the text of runs, separated by breaks and paragraphs."""

    def __init__(self) -> None:
        self.progress = 0
        """The number of parser events so far."""
        self._parts: list[str] = []
        self._in_text = False
        self._fallback_depth = 0

    def doctype(self, *_declaration: object) -> None:
        # The format forbids a document type declaration; without one no entity can be expanded.
        raise TextDamagedError("damaged Word document: it has a document type declaration")

    def start(self, tag: str, _attributes: object) -> None:
        self.progress += 1
        if tag == _FALLBACK:
            self._fallback_depth += 1
        elif tag in _TEXT_ELEMENTS:
            self._in_text = not self._fallback_depth

    def end(self, tag: str) -> None:
        self.progress += 1
        self._in_text = False
        if tag == _FALLBACK:
            self._fallback_depth -= 1
        elif not self._fallback_depth and tag in _SEPARATORS:
            self._parts.append(_SEPARATORS[tag])

    def data(self, text: str) -> None:
        self.progress += 1
        if self._in_text:
            self._parts.append(text)

    def close(self) -> None:
        pass

    def take(self) -> str:
        """The text collected since the last call."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


def _has_word_document(file: BinaryIO) -> bool | None:
    """Whether the package has the main part; None if its directory cannot be read."""
    source = FailureKeepingFile(file)
    if not _has_small_directory(source):
        return None
    try:
        with zipfile.ZipFile(source) as archive:
            return _DOCUMENT in archive.NameToInfo
    except _ZIP_DAMAGE:
        source.raise_failure()
        return None


def _document_text(file: BinaryIO) -> Iterator[str]:
    source = FailureKeepingFile(file)
    try:
        with zipfile.ZipFile(source) as archive:
            information = archive.getinfo(_DOCUMENT)
            _refuse_bomb(information)
            with archive.open(information) as part:
                yield from _xml_text(part)
    except _ZIP_DAMAGE as error:
        source.raise_failure()
        raise TextDamagedError("damaged Word document: its package cannot be read") from error


def _xml_text(part: IO[bytes]) -> Iterator[str]:
    collector = _TextCollector()
    parser = etree.XMLParser(
        target=collector,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    progress = since_progress = 0
    try:
        while data := part.read(_PIECE_BYTES):
            parser.feed(data)
            if progress != collector.progress:
                progress, since_progress = collector.progress, 0
            since_progress += len(data)
            if since_progress > MAX_TOKEN_BYTES:
                raise TextDamagedError(
                    f"damaged Word document: a comment or tag of more than {MAX_TOKEN_BYTES} bytes"
                )
            yield collector.take()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise TextDamagedError("damaged Word document: its XML is not well formed") from error
    yield collector.take()


def _refuse_bomb(information: zipfile.ZipInfo) -> None:
    # The zip module never returns more bytes than the stated size, so the size can be trusted.
    size, packed = information.file_size, information.compress_size
    if size > MAX_DOCUMENT_BYTES:
        raise TextDamagedError(f"Word document refused: {size} bytes of text when decompressed")
    if size > RATIO_FREE_BYTES and size > MAX_RATIO * packed:
        raise TextDamagedError(f"Word document refused: {packed} bytes decompress to {size}")
    # The format forbids other methods, and their decoders use unlimited memory.
    if information.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise TextDamagedError("damaged Word document: a compression that the format has not")


def _has_small_directory(source: FailureKeepingFile) -> bool:
    """Whether the zip module can list the package without much memory."""
    size = source.seek(0, os.SEEK_END)
    source.seek(max(size - _MAX_END_BYTES, 0))
    tail = source.read()
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or len(tail) - position < _END_RECORD_BYTES:
        return False
    (directory_size,) = struct.unpack_from("<L", tail, position + 12)
    # Zip64 stores the sizes elsewhere; only archives of over 4 GiB need it.
    is_zip64 = b"PK\x06\x07" in tail[max(position - 20, 0) : position]
    return directory_size <= MAX_DIRECTORY_BYTES and not is_zip64


_DOCUMENT = "word/document.xml"
_PIECE_BYTES = 64 * 1024
_END_RECORD_BYTES = 22
_MAX_END_BYTES = _END_RECORD_BYTES + 65535 + 20
_ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
)
_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_MATH = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
)
_TEXT_ELEMENTS = frozenset(f"{{{namespace}}}t" for namespace in _WORD + _MATH)
_SEPARATORS = {
    f"{{{namespace}}}{name}": separator
    for namespace in _WORD
    for name, separator in (
        ("p", "\n"),
        ("br", "\n"),
        ("cr", "\n"),
        ("tr", "\n"),
        ("tab", "\t"),
        ("ptab", "\t"),
        ("tc", "\t"),
        ("noBreakHyphen", "-"),
    )
}
# Fallback content for older programs repeats the same text.
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
