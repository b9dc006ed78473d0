"""All figures of a run, stored in a JSON file.

The file contains one object with `machine`, `rounds`, and four lists. `comparisons` has an entry
for each row of the table, with every round of both sides, the ratios and the verdict. `series` has
an entry for each line of a plot: `x` lists the sizes, and `figures` has for each size a list with
one figure per round. `left_out` and `failed` list what is missing.
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
    """A case that ended with an error."""

    case: str
    error: str


@dataclass(slots=True)
class Figures:
    """The figures so far, and the machine."""

    machine: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    comparisons: list[Comparison] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every case was measured completely, and every target is met."""
        whole = not self.left_out and not self.failed
        return whole and all(comparison.is_met for comparison in self.comparisons)

    def add(self, result: Result) -> None:
        """Add a result of a case."""
        match result:
            case Comparison():
                self.comparisons.append(result)
            case Series():
                self.series.append(result)
            case LeftOut():
                self.left_out.append(result)

    def forget(self, cases: Iterable[str]) -> None:
        """Remove the results of these cases, before they are measured again."""
        dropped = set(cases)
        self.comparisons = [kept for kept in self.comparisons if kept.case not in dropped]
        self.series = [kept for kept in self.series if kept.case not in dropped]
        self.left_out = [kept for kept in self.left_out if kept.case not in dropped]
        self.failed = [kept for kept in self.failed if kept.case not in dropped]

    def write(self, path: Path) -> None:
        """Write the figures to a file atomically: an interrupted run leaves the previous file."""
        content = asdict(self)
        for row, comparison in zip(content["comparisons"], self.comparisons, strict=True):
            row.update({name: getattr(comparison, name) for name in _DERIVED})
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Figures:
        """Read the figures that `write` has stored.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file does not contain figures of this version.
        """
        content = json.loads(path.read_text())
        try:
            return cls(
                content["machine"],
                content["rounds"],
                [_comparison(row) for row in content["comparisons"]],
                [Series(**row) for row in content["series"]],
                [LeftOut(**row) for row in content["left_out"]],
                [Failed(**row) for row in content["failed"]],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path.name} holds no figures of this version: {error!r}") from error


def _comparison(row: dict[str, Any]) -> Comparison:
    return Comparison(**{name: value for name, value in row.items() if name not in _DERIVED})
