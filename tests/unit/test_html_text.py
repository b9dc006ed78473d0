"""The text of HTML pages."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from sagaledger.domain.document.errors import TextDamagedError
from sagaledger.infrastructure.text import DocumentTextExtractor

from tests.support.extraction import extract, words


def html_words(content: bytes | str) -> list[str]:
    data = content.encode() if isinstance(content, str) else content
    return words(extract(data, "page.html").pages)


def test_html_read_leaves_out_what_people_do_not_read() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>Title</title><style>p { color: red }</style>"
        "<script>var hidden = '<p>no</p>';</script></head><body><!-- remark -->"
        "<noscript><p>enable</p></noscript><template><b>blank</b></template>"
        "<p>Shown</p><svg><style>no</style></svg>end</body></html>"
    )

    assert html_words(page) == ["Title", "Shown", "end"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>one</p><p>two", ["one", "two"]),
        ("one<br>two<hr/>three", ["one", "two", "three"]),
        ("<ul><li>one<li>two</ul>", ["one", "two"]),
        ("<table><tr><td>one<td>two<tr><td>three</table>", ["one", "two", "three"]),
        ("<my-box>one</my-box><my-box>two</my-box>", ["one", "two"]),
        ("H<sub>2</sub>O w<b>or</b>d w<span>or</span><wbr>d", ["H2O", "word", "word"]),
        ("a&lt;b&eacute;&#8364;", ["a<bé€"]),
    ],
)
def test_html_elements_part_words_only_where_a_browser_does(page: str, expected: list[str]) -> None:
    assert html_words(page) == expected


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ('<meta charset="koi8-r">', "koi8-r"),
        ("<meta charset=windows-1251>", "cp1251"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">',
            "shift_jis",
        ),
        ('<?xml version="1.0" encoding="iso-8859-5"?>', "iso8859-5"),
        ("<meta charset=utf-8>", "utf-8"),
        ("<meta charset=koi8-r>", "utf-16"),
        ("<meta charset=rot13>", "utf-8"),
        ("<meta charset=nonsense>", "utf-8"),
    ],
)
def test_html_in_the_encoding_it_names_is_read_right(head: str, codec: str) -> None:
    assert html_words(f"{head}<p>Слово".encode(codec)) == ["Слово"]


def test_html_without_any_text_has_no_words() -> None:
    for page in (b" \n", b"<!-- -->", b"<html></html>"):
        assert html_words(page) == []


def test_html_nested_very_deeply_is_read_to_its_end() -> None:
    assert html_words("<div>" * 20_000 + "deep" + "</div>" * 20_000 + "after") == ["deep", "after"]


def test_html_with_a_long_stretch_without_tags_keeps_its_words() -> None:
    numbered = [f"word{number}" for number in range(400_000)]

    assert html_words("<pre>" + " ".join(numbered) + "</pre>end") == [*numbered, "end"]


def test_html_with_an_endless_comment_is_damaged() -> None:
    file = io.BytesIO(b"<p>before<!--" + b" never ending" * 6_000_000)

    pages = DocumentTextExtractor().extract(file, "page.html").pages

    with pytest.raises(TextDamagedError, match="comment"):
        list(pages)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("pattern", ["<p>some <b>text</b> here</p>\\n", "text without a tag "])
def test_large_html_read_takes_little_memory(pattern: str) -> None:
    # The parser's memory is not Python's, so a process of its own is measured.
    program = f"""
from pathlib import Path
from sagaledger.infrastructure.text import DocumentTextExtractor
from tests.support.documents import RepeatingFile

def peak_kib():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

extractor = DocumentTextExtractor()
list(extractor.extract(RepeatingFile(b"<p>", 3), "small.html").pages)
before = peak_kib()
file = RepeatingFile(b"{pattern}", 60_000_000)
print(sum(len(page.text) for page in extractor.extract(file, "large.html").pages))
print(peak_kib() - before)
"""
    root = Path(__file__).parent.parent.parent
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )

    characters, growth_kib = map(int, finished.stdout.split())
    assert characters > 30_000_000
    assert growth_kib < 40 * 1024
