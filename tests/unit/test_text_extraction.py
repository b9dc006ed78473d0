"""Which format a document is told to be, plain text, and files that fail."""

from __future__ import annotations

import errno
import io
import re
import tracemalloc
import zipfile
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.document.records import Page
from sagaledger.domain.upload.errors import ChunkMissingError
from sagaledger.infrastructure.text import DocumentTextExtractor
from sagaledger.infrastructure.text.decoding import SAMPLE_BYTES
from sagaledger.infrastructure.text.docx import DOCX_MEDIA_TYPE
from sagaledger.infrastructure.text.paging import BLOCK_CHARS, text_blocks

from tests.support.documents import (
    FailingFile,
    RepeatingFile,
    docx_bytes,
    pdf_bytes,
)
from tests.support.extraction import extract, words


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (pdf_bytes(["x"]), "misnamed.txt", "application/pdf"),
        (b"\n\r junk before it \x00" + pdf_bytes(["x"]), "scan", "application/pdf"),
        (b"A note on the mark %PDF-1.7", "note.txt", "text/plain"),
        (docx_bytes(["x"]), "misnamed.pdf", DOCX_MEDIA_TYPE),
        (b"<p>x</p>", "page.HTM", "text/html"),
        (b"<p>x</p>", "page.xhtml", "text/html"),
        (b" <!DOCTYPE html>\n<p>x", "page", "text/html"),
        (b'<?xml version="1.0"?><!-- made by hand -->\n<html>x</html>', "page", "text/html"),
        ("<html>x</html>".encode("utf-16"), "page", "text/html"),
        (b"<p>x</p>", "fragment.txt", "text/plain"),
        (b"<!-- a --> " * 5000 + b"x", "comments.txt", "text/plain"),
        (b"# x", "readme.md", "text/markdown"),
        (b"# x", "README.Markdown", "text/markdown"),
        (b"# x", "notes", "text/plain"),
        (b"GIF89a\x01\x00\x01\x00", "picture.html", "application/octet-stream"),
        (bytes(range(1, 32)) + b"letters", "no-nul.txt", "application/octet-stream"),
    ],
)
def test_document_of_a_format_is_told_by_content_then_by_name(
    content: bytes, name: str, media_type: str
) -> None:
    assert extract(content, name).media_type == media_type


@pytest.mark.parametrize("name", ["empty.txt", "empty.pdf", "empty.docx", "empty"])
def test_empty_file_has_no_pages_and_says_so(name: str) -> None:
    extracted = extract(b"", name)

    assert (extracted.note, list(extracted.pages)) == ("empty file", [])


def test_binary_file_has_no_pages_and_says_so() -> None:
    extracted = extract(bytes(range(256)) * 10, "data.bin")

    assert (extracted.note, list(extracted.pages)) == ("binary file: no text", [])


def test_archive_that_is_no_word_document_counts_as_binary() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("readme.txt", "words")

    for name in ("archive.zip", "archive.docx"):
        assert extract(archive.getvalue(), name).media_type == "application/octet-stream"


@given(st.binary(max_size=300), st.sampled_from(["x", "x.pdf", "x.docx", "x.html", "x.md"]))
def test_arbitrary_bytes_extracted_never_fail_and_never_give_a_nul(
    content: bytes, name: str
) -> None:
    for start in (b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf"):
        assert not any("\x00" in page.text for page in extract(start + content, name).pages)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_an_encoding_is_read_as_what_it_says(codec: str) -> None:
    text = "Größe und Maß: 5 € für naïve Leser"

    extracted = extract(text.encode(codec), "text.txt")

    assert list(extracted.pages) == [Page(1, text)]
    expected = "not UTF-8: read as Windows-1252" if codec == "cp1252" else ""
    assert extracted.note == expected


@pytest.mark.parametrize("mark", ["utf-16-be", "utf-32-be", "utf-16-le", "utf-32-le"])
def test_text_with_a_byte_order_mark_is_read_in_that_order(mark: str) -> None:
    extracted = extract("\ufeffzwölf".encode(mark), "text.txt")

    assert [page.text for page in extracted.pages] == ["zwölf"]


def test_utf8_with_a_few_foreign_bytes_keeps_its_own_letters() -> None:
    extracted = extract("größe ".encode() + b"gr\xf6\xdfe", "mixed.txt")

    assert words(extracted.pages) == ["größe", "größe"]
    assert extracted.note == "not all of it is UTF-8: the rest is read as Windows-1252"


def test_western_text_whose_first_umlaut_is_late_is_read_right() -> None:
    content = b"plain " * SAMPLE_BYTES + b"gr\xf6\xdfe"

    assert words(extract(content, "late.txt").pages)[-1] == "größe"


@pytest.mark.parametrize("shift", range(4))
def test_letters_across_the_edges_of_what_is_read_at_once_stay_whole(shift: int) -> None:
    text = "a" * shift + "€" * SAMPLE_BYTES

    pages = list(extract(text.encode(), "euro.txt").pages)

    assert "".join(page.text for page in pages) == text


def test_text_with_a_binary_tail_keeps_its_words_and_loses_control_characters() -> None:
    content = b"good words " * 10_000 + bytes(range(256)) * 10

    pages = list(extract(content, "log.txt").pages)

    assert words(pages)[:20_000] == ["good", "words"] * 10_000
    assert re.search("[\x00-\x08\x0e-\x1b]", "".join(page.text for page in pages)) is None


def test_long_text_is_paged_between_words() -> None:
    numbered = [f"word{number}" for number in range(50_000)]

    pages = list(extract(" ".join(numbered).encode(), "long.txt").pages)

    assert words(pages) == numbered
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert all(BLOCK_CHARS - 20 < len(page.text) <= BLOCK_CHARS for page in pages[:-1])


@given(st.lists(st.text("ab \n\u3000", max_size=30), max_size=20), st.integers(1, 12))
def test_any_pieces_blocked_give_the_same_text_with_short_words_whole(
    pieces: list[str], size: int
) -> None:
    blocks = list(text_blocks(pieces, size))

    text = "".join(pieces)
    assert "".join(blocks) == text
    assert all(0 < len(block) <= size for block in blocks)
    if all(len(word) < size for word in text.split()):
        assert [word for block in blocks for word in block.split()] == text.split()


def test_200_mb_of_text_read_take_little_memory() -> None:
    size = 200_000_000
    file = cast(BinaryIO, RepeatingFile(b"a line of a very long log\n", size))
    tracemalloc.start()

    try:
        count = sum(len(page.text) for page in DocumentTextExtractor().extract(file, "x").pages)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == size
    assert peak < 20_000_000


DOCUMENTS = {
    "text.txt": b"plain words " * 20_000,
    "text.md": b"marked *words*\n\n" * 10_000,
    "page.html": b"<p>some words</p>" * 10_000,
    "letter.docx": docx_bytes([f"paragraph {number}" for number in range(2000)]),
    "paper.pdf": pdf_bytes([f"page {number}" for number in range(5)]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("error", [OSError(errno.EIO, "disk"), ChunkMissingError("key")], ids=str)
def test_file_whose_any_read_fails_raises_that_very_error(name: str, error: Exception) -> None:
    whole = FailingFile(DOCUMENTS[name], -1, error)
    list(DocumentTextExtractor().extract(whole, name).pages)
    assert whole.reads > 2

    for failing_read in range(whole.reads):
        file = FailingFile(DOCUMENTS[name], failing_read, error)
        with pytest.raises(type(error)) as caught:
            list(DocumentTextExtractor().extract(file, name).pages)
        assert caught.value is error
