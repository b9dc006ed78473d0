"""The text of PDF files, whole, damaged or encrypted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sagaledger.domain.document.errors import TextDamagedError

from tests.support.documents import (
    pdf_bytes,
)
from tests.support.extraction import extract, words

SAMPLES = Path(__file__).parent.parent / "samples"


def test_pdf_read_gives_each_page_with_its_number() -> None:
    pages = list(extract(pdf_bytes(["First (page)\nof größe", "", "third"])).pages)

    assert [page.number for page in pages] == [1, 2, 3]
    assert words(pages[:1]) == ["First", "(page)", "of", "größe"]
    assert [page.text for page in pages[1:]] == ["", "third"]


def test_pdf_with_a_word_parted_at_a_line_end_joins_it() -> None:
    assert words(extract(pdf_bytes(["an inter-\nnational word"])).pages) == [
        "an",
        "international",
        "word",
    ]


def test_pdf_of_many_pages_is_read_to_its_end() -> None:
    extracted = extract(pdf_bytes([f"page {number}" for number in range(2100)]))

    assert words(extracted.pages)[1::2] == [str(number) for number in range(2100)]


def test_encrypted_pdf_says_that_a_password_is_needed() -> None:
    extracted = extract((SAMPLES / "encrypted.pdf").read_bytes())

    assert extracted.note == "encrypted PDF: a password is needed"
    assert list(extracted.pages) == []


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7\nnothing more", pdf_bytes(["text"])[:300], pdf_bytes([])]
)
def test_damaged_pdf_says_so_at_once(content: bytes) -> None:
    extracted = extract(content)

    assert extracted.media_type == "application/pdf"
    assert extracted.note.startswith("damaged PDF: ")
    assert list(extracted.pages) == []


def test_pdf_with_a_missing_page_is_damaged_there() -> None:
    content = pdf_bytes(["first", "second", "third"]).replace(b"[4 0 R 6 0 R", b"[4 0 R 1 0 R")
    extracted = extract(content)

    assert words([next(extracted.pages)]) == ["first"]
    with pytest.raises(TextDamagedError, match="page 2"):
        next(extracted.pages)


def test_pdf_left_half_read_keeps_no_other_from_being_read() -> None:
    half_read = extract(pdf_bytes(["one", "two"])).pages
    next(half_read)
    read: list[list[str]] = []

    other = threading.Thread(target=lambda: read.append(words(extract(pdf_bytes(["other"])).pages)))
    other.start()
    other.join(timeout=30)

    assert read == [["other"]]
    assert words(half_read) == ["two"]


def test_pdfs_read_by_several_threads_at_once_do_not_mix() -> None:
    contents = [pdf_bytes([f"file{f} page{p}" for p in range(50)]) for f in range(4)]
    read: dict[int, list[str]] = {}

    def read_one(number: int) -> None:
        read[number] = words(extract(contents[number]).pages)

    threads = [threading.Thread(target=read_one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert read == {f: [w for p in range(50) for w in (f"file{f}", f"page{p}")] for f in range(4)}
