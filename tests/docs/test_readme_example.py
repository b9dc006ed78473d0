"""The README's example of the library runs, and ends as its comments say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.docs.library_examples import TYPED_PAGES, write_examples


def test_every_page_with_an_example_has_one(tmp_path: Path) -> None:
    assert len(write_examples(tmp_path)) == len(TYPED_PAGES)


def test_readme_example_run_prints_what_its_comment_says(tmp_path: Path) -> None:
    example = write_examples(tmp_path)[0]
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * 100)
    expected = example.read_text().rstrip().splitlines()[-1].removeprefix("    # ")

    done = subprocess.run(
        [sys.executable, example.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    document, outcome = done.stdout.splitlines()
    assert re.fullmatch(r"default-[0-9a-f]{24}-[0-9a-f]{12}", document)
    assert outcome == expected
