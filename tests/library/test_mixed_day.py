"""The example of a mixed day runs as it stands, and its own count agrees with what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.commands import environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "mixed_day.py"


def test_figures_of_a_mixed_day_agree_with_a_count_over_the_raw_events(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE, "--ingests", "40", "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(),
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    told = done.stdout
    assert told.endswith("raw events, before and after the sweep\n")
    before, after = told.split("— orphans, alerts and reports after it —")
    # Every kind of trouble was there, and nothing of it is left.
    assert told.startswith("— the day —\n40 sagas: 33 completed, 2 rolled back, 5 rollbacks failed")
    for trouble in ("chunk_mismatch", "the vector store is away", "read-only disk"):
        assert trouble in before
        assert trouble not in after
    assert "no orphans\nno alerts\n" in after
    for report in (tmp_path / "data" / "reports").iterdir():
        assert json.loads(report.read_text())["count"] == 0
