"""What a case of the benchmark gives.

A case measures ours and theirs in turn, round by round, because only ratios within a run say
anything on a machine that others use too. It gives comparisons, whose target is a limit on the
median of these ratios; series, which are the lines of the plots; and what it had to leave out.
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
    """One figure of ours beside one of theirs, each as it came in every round.

    Raises:
        ValueError: the two sides have not the same number of rounds, or none, or a figure that
            nothing can be divided by.
    """

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
    settings: Mapping[str, str] = field(default_factory=dict)
    """Versions and settings of both sides."""

    def __post_init__(self) -> None:
        """Refuse what has no ratio, where it is measured and not where it is shown."""
        named = f"{self.case}, {self.what}, against {self.against}"
        if not self.ours or len(self.ours) != len(self.theirs):
            raise ValueError(f"{named}: {len(self.ours)} and {len(self.theirs)} rounds")
        if not all(map(math.isfinite, [*self.ours, *self.theirs])):
            raise ValueError(f"{named}: {list(self.ours)} and {list(self.theirs)} are no figures")
        below = self.ours if self.times_faster else self.theirs
        if min(below) <= 0:
            raise ValueError(f"{named}: nothing can be divided by {list(below)}")

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


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a plot: what one side came to at each size, in every round."""

    case: str
    plot: str
    """Which plot it belongs to, by the name of that plot's file."""
    line: str
    """Whose figures these are, as the legend says it."""
    x: Sequence[float]
    """The sizes, in the plot's unit."""
    figures: Sequence[Sequence[float]]
    """One row for each size, with a figure for each round, in the plot's unit."""
    is_floor: bool = False
    """Whether it is no peer but what the machine allows."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Versions and settings."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a case that was not measured."""

    case: str
    why: str


Result: TypeAlias = Comparison | Series | LeftOut

Case: TypeAlias = Callable[[Path, int], Iterable[Result]]
"""Measures in a scratch folder, in so many rounds."""


def interleaved(
    rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Both ways in turn, the first one alternating; each is told its round."""
    mine, others = in_turn(rounds, [ours, theirs])
    return mine, others


def settled(way: Callable[[int], float]) -> Callable[[int], float]:
    """The way taken twice in a row, of which the second counts.

    So each finds the disk as it leaves it itself. Where one has just freed a gigabyte, the next one
    may take three times as long to write its own, as it gets other room: that says nothing of it.
    """

    def second(number: int) -> float:
        way(number)
        return way(number)

    return second


def in_turn(rounds: int, ways: Sequence[Callable[[int], float]]) -> list[list[float]]:
    """All ways in turn, each round backwards after one forwards; each is told its round."""
    figures: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        order = list(zip(figures, ways, strict=True))
        for kept, way in order if number % 2 == 0 else order[::-1]:
            kept.append(way(number))
    return figures
