"""Writes every reference page into the folder that is given."""

from __future__ import annotations

import sys
from pathlib import Path

from reference import PAGES

if __name__ == "__main__":
    (folder,) = sys.argv[1:]
    for name, page in PAGES.items():
        (Path(folder) / name).write_text(page(), encoding="utf-8")
