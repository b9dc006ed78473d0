"""The text of Word documents, whole, damaged or hostile."""

from __future__ import annotations

import pytest
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.domain.document.records import Page
from sagaledger.infrastructure.text.docx import DOCX_MEDIA_TYPE, RATIO_FREE_BYTES

from tests.support.documents import (
    WORD_NAMESPACE,
    docx_bytes,
    docx_package,
)
from tests.support.extraction import extract, words


def word_document(body: str, declaration: str = "") -> bytes:
    return docx_package(
        f'{declaration}<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{body}</w:body></w:document>'
        "".encode()
    )


def test_word_document_read_gives_paragraphs_tabs_and_breaks() -> None:
    body = (
        "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t></w:r><w:r><w:br/><w:t>th</w:t></w:r>"
        "<w:r><w:t>ree</w:t></w:r></w:p><w:p><w:r><w:t>co</w:t><w:noBreakHyphen/><w:t>op</w:t>"
        "<w:softHyphen/><w:t>t</w:t></w:r></w:p>"
    )

    [page] = extract(word_document(body)).pages

    assert page.text == "one\ttwo\nthree\nco-opt\n"


def test_word_document_with_a_table_keeps_its_cells_apart() -> None:
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    row = f"<w:tr>{cell.format('one')}{cell.format('two')}</w:tr>"

    assert words(extract(word_document(f"<w:tbl>{row}</w:tbl>")).pages) == ["one", "two"]


def test_word_document_read_leaves_out_fields_deletions_and_second_versions() -> None:
    choices = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    body = (
        "<w:p><w:r><w:instrText>PAGE</w:instrText><w:delText>deleted</w:delText></w:r>"
        f'<mc:AlternateContent xmlns:mc="{choices}"><mc:Choice><w:t>box</w:t></mc:Choice>'
        "<mc:Fallback><w:t>box</w:t></mc:Fallback></mc:AlternateContent></w:p>"
    )

    assert words(extract(word_document(body)).pages) == ["box"]


def test_long_word_document_is_paged_between_words() -> None:
    paragraphs = [f"paragraph{number} & <its> text" for number in range(10_000)]

    pages = list(extract(docx_bytes(paragraphs)).pages)

    assert words(pages) == " ".join(paragraphs).split()
    assert len(pages) > 3


@pytest.mark.parametrize("entity", ["SYSTEM 'file:///etc/passwd'", "'inner'"])
def test_word_document_with_an_entity_is_damaged_and_shows_nothing(entity: str) -> None:
    declaration = f"<!DOCTYPE w:document [<!ENTITY e {entity}>]>"
    content = word_document("<w:p><w:r><w:t>&e;</w:t></w:r></w:p>", declaration)
    extracted = extract(content)

    with pytest.raises(TextDamagedError, match="document type declaration"):
        next(extracted.pages)


def test_word_document_that_is_a_zip_bomb_is_refused() -> None:
    bomb = docx_package(b" " * (RATIO_FREE_BYTES + 1))

    with pytest.raises(TextDamagedError, match="decompress"):
        list(extract(bomb).pages)


def test_word_document_that_claims_more_than_the_limit_is_refused() -> None:
    content = bytearray(docx_bytes(["text"]))
    directory_entry = content.rfind(b"PK\x01\x02")
    content[directory_entry + 24 : directory_entry + 28] = b"\xf0\xff\xff\xff"

    with pytest.raises(TextDamagedError, match="refused"):
        list(extract(bytes(content)).pages)


def test_word_document_that_ends_early_gives_its_text_before_the_damage_shows() -> None:
    paragraph = "<w:p><w:r><w:t>whole words </w:t></w:r></w:p>"
    xml = f'<w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{paragraph * 10_000}'
    read: list[Page] = []

    with pytest.raises(TextDamagedError, match="not well formed"):
        read.extend(extract(docx_package(xml.encode())).pages)

    assert set(words(read)) == {"whole", "words"}


def test_word_document_with_a_flipped_byte_is_damaged() -> None:
    content = bytearray(docx_bytes([f"paragraph {number}" for number in range(1000)]))
    content[content.rfind(b"word/document.xml", 0, content.rfind(b"PK\x01\x02")) + 2000] ^= 0xFF

    with pytest.raises(TextDamagedError, match="damaged Word document"):
        list(extract(bytes(content)).pages)


def test_word_document_cut_short_says_so() -> None:
    extracted = extract(docx_bytes(["text"])[:-40], "cut.docx")

    assert extracted.media_type == DOCX_MEDIA_TYPE
    assert extracted.note.startswith("damaged Word document")
    assert list(extracted.pages) == []
