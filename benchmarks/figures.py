"""All figures of a run, as they are kept in a JSON file.

The file holds one object: `machine`, `rounds`, and four lists. `comparisons` has a row for each
line of the table, with every round of both sides, and with its ratios and verdict for readers that
do not compute. `series` has a row for each line of a plot: `x` are the sizes, and `figures` has for
each of them a list with one figure for each round. `left_out` and `failed` say what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import Comparison, LeftOut, Result, Series

__all__ = ["Failed", "Figures"]

_DERIVED = ("ratio", "ratios", "verdict")


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that ended before its time."""

    case: str
    error: str


@dataclass(slots=True)
class Figures:
    """What was measured so far, and on what."""

    machine: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    comparisons: list[Comparison] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every case was measured in full, and every target is met."""
        whole = not self.left_out and not self.failed
        return whole and all(comparison.is_met for comparison in self.comparisons)

    def add(self, result: Result) -> None:
        """Keep what a case gave."""
        match result:
            case Comparison():
                self.comparisons.append(result)
            case Series():
                self.series.append(result)
            case LeftOut():
                self.left_out.append(result)

    def forget(self, cases: Iterable[str]) -> None:
        """Drop what is known of these cases, which are about to be measured anew."""
        gone = set(cases)
        self.comparisons = [kept for kept in self.comparisons if kept.case not in gone]
        self.series = [kept for kept in self.series if kept.case not in gone]
        self.left_out = [kept for kept in self.left_out if kept.case not in gone]
        self.failed = [kept for kept in self.failed if kept.case not in gone]

    def write(self, path: Path) -> None:
        """Put them into a file, in one move: a run that is cut short leaves the file before."""
        told = asdict(self)
        for row, comparison in zip(told["comparisons"], self.comparisons, strict=True):
            row.update({name: getattr(comparison, name) for name in _DERIVED})
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(told, indent=2, allow_nan=False) + "\n")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Figures:
        """What `write` has kept.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds no figures, or those of another version.
        """
        told = json.loads(path.read_text())
        try:
            return cls(
                told["machine"],
                told["rounds"],
                [_comparison(row) for row in told["comparisons"]],
                [Series(**row) for row in told["series"]],
                [LeftOut(**row) for row in told["left_out"]],
                [Failed(**row) for row in told["failed"]],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path.name} holds no figures of this version: {error!r}") from error


def _comparison(row: dict[str, Any]) -> Comparison:
    return Comparison(**{name: value for name, value in row.items() if name not in _DERIVED})
