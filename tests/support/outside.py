"""Another distribution's adapters, installed for the length of a command by the path alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.commands import environment, run

__all__ = ["OUTSIDE", "run_outside"]

OUTSIDE = Path(__file__).parents[1] / "samples" / "outside"
"""A folder as `pip install --target` makes it: a package, and its `.dist-info` beside it."""


def run_outside(
    data: Path | None, *arguments: str | Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command where the distribution `outside-adapters` is installed."""
    return run(data, *arguments, env=environment(PYTHONPATH=str(OUTSIDE), **variables))
