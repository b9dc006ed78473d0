"""The text of Markdown."""

from __future__ import annotations

import pytest

from tests.support.extraction import extract, words


def markdown_words(text: str) -> list[str]:
    return words(extract(text.encode(), "text.md").pages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One *two*\nthree **four**", ["One", "two", "three", "four"]),
        ("[text](http://a.example 'title') <http://b.example>", ["text", "http://b.example"]),
        ("![a *picture*](p.png)", ["a", "picture"]),
        ("- one\n- two\n\n1. three", ["one", "two", "three"]),
        ("| a | b |\n|---|---|\n| c | d |", ["a", "b", "c", "d"]),
        ("```python\n# code *as is*\n```", ["#", "code", "*as", "is*"]),
        ("`inline code` ~~gone~~ &amp; \\*star", ["inline", "code", "gone", "&", "*star"]),
        ("w<b>or</b>d<br>next", ["word", "next"]),
        ("<div>w<b>or</b>d</div>\n\nnext", ["word", "next"]),
        ("one\\\ntwo  \nthree\nfour", ["one", "two", "three", "four"]),
        ("> quoted\n\n---\nafter", ["quoted", "after"]),
    ],
)
def test_markdown_read_gives_its_plain_text(text: str, expected: list[str]) -> None:
    assert markdown_words(text) == expected


def test_long_markdown_is_cut_where_it_can_be_parsed_alone() -> None:
    paragraphs = [f"Paragraph *{number}* with a\n[link {number}](x)." for number in range(3000)]

    text = markdown_words("\n\n".join(paragraphs))

    assert text == [
        word
        for number in range(3000)
        for word in ("Paragraph", str(number), "with", "a", "link", f"{number}.")
    ]


def test_long_fenced_code_in_markdown_stays_code() -> None:
    code = "".join(f"# line *{number}*\n\n" for number in range(5000))

    text = markdown_words(f"start\n\n~~~~ sh\n{code}~~~\n~~~~\n\n# end *now*\n")

    assert text == ["start", *code.split(), "~~~", "end", "now"]


def test_markdown_of_one_endless_line_keeps_its_words() -> None:
    numbered = [f"word{number}" for number in range(30_000)]

    assert markdown_words(" ".join(numbered)) == numbered
