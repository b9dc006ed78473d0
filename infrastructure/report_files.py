"""Report files: each is replaced as a whole, and only when what it says has changed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagaledger.infrastructure.disk import make_folder, write_file

__all__ = ["write_reports"]

_STALE_AFTER_S = 3600.0


def write_reports(folder: Path, reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Bring the files of a folder, made where it is missing, to what the reports say.

    Raises:
        OSError: one cannot be written; its file holds what it held before.
    """
    for name, report in reports.items():
        path = folder / f"{name}.json"
        content = (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
        if not path.is_file() or path.read_bytes() != content:
            make_folder(folder)
            _remove_stale(folder)
            write_file(path, content)


def _remove_stale(folder: Path) -> None:
    # A process that was killed while it wrote one has left it; a living one is done long before.
    for partial in folder.glob(".*.part"):
        if partial.stat().st_mtime < time.time() - _STALE_AFTER_S:
            partial.unlink(missing_ok=True)
