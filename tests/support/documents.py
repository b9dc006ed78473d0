"""Small real documents of every format, made in memory."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

__all__ = [
    "WORD_NAMESPACE",
    "FailingFile",
    "RepeatingFile",
    "docx_bytes",
    "docx_package",
    "pdf_bytes",
]

WORD_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_LINE_HEIGHT = 14
_READ_AT_ONCE = 64 * 1024


def pdf_bytes(pages: Sequence[str]) -> bytes:
    """A valid PDF with one page per text; the characters of Latin-1 can be written."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, text in enumerate(pages):
        content = _page_content(text)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            b"/Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return _pdf_file(objects)


def docx_bytes(paragraphs: Sequence[str]) -> bytes:
    """A Word document with one paragraph per text; a tab in it becomes a tab element."""
    body = "".join(f"<w:p><w:r>{_run_content(text)}</w:r></w:p>" for text in paragraphs)
    document = f'<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{body}</w:body></w:document>'
    return docx_package(f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode())


def docx_package(document_xml: bytes) -> bytes:
    """A Word file around a given `word/document.xml`."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="word/document.xml" Type="http://schemas.'
        'openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", document_xml)
    return package.getvalue()


class RepeatingFile(io.RawIOBase):
    """A readable file of any size that repeats a pattern and takes no memory."""

    def __init__(self, pattern: bytes, size: int) -> None:
        super().__init__()
        self._pattern_size = len(pattern)
        self._bytes = pattern * (2 + _READ_AT_ONCE // len(pattern))
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = (0, self._position, self._size)[whence] + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        count = min(len(view), self._size - self._position, _READ_AT_ONCE)
        start = self._position % self._pattern_size
        view[:count] = self._bytes[start : start + count]
        self._position += count
        return count


class FailingFile(io.BytesIO):
    """A file one of whose reads, counted from 0, raises an error."""

    def __init__(self, content: bytes, failing_read: int, error: BaseException) -> None:
        super().__init__(content)
        self.reads = 0
        self._failing_read = failing_read
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads - 1 == self._failing_read:
            raise self._error
        return super().read(size)


def _run_content(text: str) -> str:
    parts = (f'<w:t xml:space="preserve">{escape(part)}</w:t>' for part in text.split("\t"))
    return "<w:tab/>".join(parts)


def _page_content(text: str) -> bytes:
    lines = [
        line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        for line in text.splitlines()
    ]
    shown = "".join(f"({line}) Tj T*\n" for line in lines)
    return f"BT /F1 11 Tf {_LINE_HEIGHT} TL 50 740 Td\n{shown}ET".encode("latin-1")


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    file = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        file += b"%010d 00000 n \n" % offset
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    file += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(file)
