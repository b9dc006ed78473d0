"""Report files: each is replaced atomically, and only if its content has changed."""

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
    """Write each report whose content has changed to its file; create the folder if it is missing.

    Raises:
        OSError: a report cannot be written; its file keeps the previous content.
    """
    for name, report in reports.items():
        path = folder / f"{name}.json"
        content = (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
        if not path.is_file() or path.read_bytes() != content:
            make_folder(folder)
            _remove_stale(folder)
            write_file(path, content)


def _remove_stale(folder: Path) -> None:
    # Only a process that was killed during a write leaves a file this old.
    for partial in folder.glob(".*.part"):
        if partial.stat().st_mtime < time.time() - _STALE_AFTER_S:
            partial.unlink(missing_ok=True)
