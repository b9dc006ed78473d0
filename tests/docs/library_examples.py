"""The library's examples in the documentation, as files: `python -m … FOLDER` writes them there.

`nox -s lint` holds them against `mypy --strict`, as a user would.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.console_pages import CHECKOUT, SampleFile, read_page

__all__ = ["TYPED_PAGES", "write_examples"]

TYPED_PAGES = ("README.md", "docs/how-to/embed-in-async.md")
"""The tutorial is not among them: who reads it first has no need of types."""


def write_examples(folder: Path) -> list[Path]:
    """Write the Python files that these pages show into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page in TYPED_PAGES:
        for part in read_page(CHECKOUT / page):
            if isinstance(part, SampleFile) and part.name.endswith(".py"):
                path = folder / part.name
                path.write_text(part.content, encoding="utf-8")
                written.append(path)
    return written


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]))
