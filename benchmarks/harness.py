"""What every benchmark case gives, and how a run of them is shown and kept.

A case measures ours and theirs in turn, round by round, because only ratios within a run say
anything on a machine that others use too. A target is a limit on the median of these ratios.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeAlias

__all__ = ["Case", "Comparison", "interleaved", "table", "write_json"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of ours beside one of theirs, each as it came in every round."""

    case: str
    what: str
    against: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str
    target: float | None
    """None for a figure that only explains others."""
    at_most: bool
    """Whether the ratio has to be at most the target, or at least."""
    least: float | None = None
    """What the ratio has to be at least, beside a target that it may at most be."""
    times_faster: bool = False
    """Whether the ratio is theirs over ours, of two durations."""
    peak_mib: float | None = None
    """The largest resident set of our process, in MiB."""
    settings: dict[str, str] = field(default_factory=dict)
    """Versions and settings of both sides."""

    @property
    def ratios(self) -> list[float]:
        """Ours over theirs, or the other way round, round by round."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [b / a if self.times_faster else a / b for a, b in pairs]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def is_met(self) -> bool:
        """Whether the target is met, if there is one."""
        if self.target is None:
            return True
        if self.least is not None and self.ratio < self.least:
            return False
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    @property
    def bounds(self) -> str:
        """The target in a few characters; a dash where there is none."""
        if self.target is None:
            return "-"
        if self.least is not None:
            return f"{self.least:g} to {self.target:g}"
        return f"{'≤' if self.at_most else '≥'} {self.target:g}"

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word; nothing where there is none."""
        if self.target is None:
            return ""
        return "met" if self.is_met else "MISSED"


Case: TypeAlias = Callable[[Path, int], Iterable[Comparison]]
"""Measures in a scratch folder, in so many rounds."""


def interleaved(
    rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Both ways in turn, the first one alternating; each is told its round."""
    mine: list[float] = []
    others: list[float] = []
    for number in range(rounds):
        pair = [(mine, ours), (others, theirs)]
        for figures, way in pair if number % 2 == 0 else pair[::-1]:
            figures.append(way(number))
    return mine, others


def table(comparisons: Iterable[Comparison]) -> str:
    """The comparisons in aligned columns."""
    rows = [("CASE", "WHAT", "OURS", "AGAINST", "THEIRS", "RATIO", "SPREAD", "TARGET", "MIB", "")]
    for c in comparisons:
        rows.append(
            (
                c.case,
                c.what,
                f"{median(c.ours):.4g} {c.unit}",
                c.against,
                f"{median(c.theirs):.4g} {c.unit}",
                f"{c.ratio:.3g}",
                f"{min(c.ratios):.3g} to {max(c.ratios):.3g}",
                c.bounds,
                "-" if c.peak_mib is None else f"{c.peak_mib:.0f}",
                c.verdict,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def write_json(path: Path, comparisons: Iterable[Comparison]) -> None:
    """Keep the comparisons, and the machine that they were made on."""
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    kept = [
        {**asdict(c), "ratio": c.ratio, "ratios": c.ratios, "met": c.is_met} for c in comparisons
    ]
    path.write_text(json.dumps({"machine": machine, "comparisons": kept}, indent=2) + "\n")
