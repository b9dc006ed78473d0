"""Every command that the tutorial and the how-to pages show is run, and prints what they show.

`UPDATE_DOCS=1 pytest tests/docs` writes into the pages what was printed; read the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.console_pages import (
    NOT_RUN,
    Command,
    difference,
    read_page,
    run_page,
    with_outputs,
)

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_run_from_top_to_bottom_prints_what_it_shows(page: Path, tmp_path: Path) -> None:
    parts = read_page(page)

    printed = run_page(parts, tmp_path)

    commands = [part for part in parts if isinstance(part, Command)]
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(with_outputs(page.read_text(), parts, printed))
        commands = [part for part in read_page(page) if isinstance(part, Command)]
    wrong = {
        f"{page.name}:{command.line}: {command.text}": different
        for command, output in zip(commands, printed, strict=True)
        if (different := difference(command.expected, output))
    }
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_block_that_is_not_run_says_why(page: Path) -> None:
    reasons = re.findall(rf"{NOT_RUN}(.*?)-->", page.read_text(), re.DOTALL)

    assert all(len(reason.split()) >= 3 for reason in reasons)


def test_page_that_shows_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n$ echo 3 ms\n12 ms\n$ false\n$ echo $?\n1\n```\n")

    parts = read_page(page)
    printed = run_page(parts, tmp_path)

    wrong = [difference(p.expected, o) for p, o in zip(parts, printed, strict=True)]  # type: ignore[union-attr]  # No files.
    assert wrong == ["one", "", "", ""]


def test_page_whose_command_fails_unasked_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ false\n$ true\n```\n")

    with pytest.raises(AssertionError, match="ended with 1"):
        run_page(read_page(page), tmp_path)
