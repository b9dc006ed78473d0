"""The results of a benchmark case.

A case measures our side and the other side in turn, round by round, because on a shared machine
only ratios within a run are meaningful. It yields comparisons, whose target is a limit on the
median of these ratios; series, which are the lines of the plots; and the parts it left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeAlias

__all__ = ["Case", "Comparison", "LeftOut", "Result", "Series", "in_turn", "interleaved", "settled"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of our side and of the other side, in every round.

    Raises:
        ValueError: the sides differ in the number of rounds, have none, or have a figure that
            cannot be a divisor.
    """

    case: str
    what: str
    against: str
    ours: Sequence[float]
    theirs: Sequence[float]
    unit: str
    target: float | None
    """The limit for the ratio; None for a figure that only explains others."""
    at_most: bool
    """Whether the target is an upper limit; otherwise it is a lower one."""
    least: float | None = None
    """A lower limit in addition to an upper one."""
    times_faster: bool = False
    """Whether the ratio is the other side's duration divided by ours."""
    peak_mib: float | None = None
    """The largest resident set of our process, in MiB."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Versions and settings of both sides."""

    def __post_init__(self) -> None:
        """Reject figures without a ratio when they are measured, not when they are shown."""
        named = f"{self.case}, {self.what}, against {self.against}"
        if not self.ours or len(self.ours) != len(self.theirs):
            raise ValueError(f"{named}: {len(self.ours)} and {len(self.theirs)} rounds")
        if not all(map(math.isfinite, [*self.ours, *self.theirs])):
            raise ValueError(f"{named}: {list(self.ours)} and {list(self.theirs)} are not finite")
        below = self.ours if self.times_faster else self.theirs
        if min(below) <= 0:
            raise ValueError(f"{named}: cannot divide by {list(below)}")

    @property
    def ratios(self) -> list[float]:
        """Our figure divided by the other one, or the inverse, for each round."""
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
        """The target as short text; a dash without a target."""
        if self.target is None:
            return "-"
        if self.least is not None:
            return f"{self.least:g} to {self.target:g}"
        return f"{'≤' if self.at_most else '≥'} {self.target:g}"

    @property
    def verdict(self) -> str:
        """Whether the target is met, as one word; empty without a target."""
        if self.target is None:
            return ""
        return "met" if self.is_met else "MISSED"


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a plot: the figures of one side at each size, in every round."""

    case: str
    plot: str
    """The name of the plot, and of its file."""
    line: str
    """The name of the side in the legend."""
    x: Sequence[float]
    """The sizes, in the plot's unit."""
    figures: Sequence[Sequence[float]]
    """One row per size, with one figure per round, in the plot's unit."""
    is_floor: bool = False
    """Whether the line shows the limit of the machine instead of a peer."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Versions and settings."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a case that was not measured."""

    case: str
    why: str


Result: TypeAlias = Comparison | Series | LeftOut

Case: TypeAlias = Callable[[Path, int], Iterable[Result]]
"""Measures in a scratch folder, with this number of rounds."""


def interleaved(
    rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Call both in turn with the number of the round; they alternate in going first."""
    mine, others = in_turn(rounds, [ours, theirs])
    return mine, others


def settled(way: Callable[[int], float]) -> Callable[[int], float]:
    """Call the measurement twice in a row, and use the second result.

    Each measurement then finds the disk as it has left it itself. After another one has freed a
    gigabyte, the next one may take three times as long to write to newly allocated blocks.
    """

    def second(number: int) -> float:
        way(number)
        return way(number)

    return second


def in_turn(rounds: int, ways: Sequence[Callable[[int], float]]) -> list[list[float]]:
    """Call all in turn with the number of the round, in reverse order in every other round."""
    figures: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        order = list(zip(figures, ways, strict=True))
        for kept, way in order if number % 2 == 0 else order[::-1]:
            kept.append(way(number))
    return figures
