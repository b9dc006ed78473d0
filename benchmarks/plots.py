"""Draws the series of a run as SVG files that depend only on the figures.

A point is the median of the rounds; its bar extends from the smallest to the largest round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from benchmarks.harness import Series

__all__ = ["draw"]

_SETTINGS: dict[Any, Any] = {
    # The ids inside the file are random without a salt.
    "svg.hashsalt": "sagaledger",
    # Text as paths: the picture looks the same everywhere.
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_INCHES = (6.4, 4.2)
_OURS = "#0b6e99"
_PEERS = ("#c8553d", "#8a6d1f", "#6b4c9a")
_FLOORS = ("#555555", "#999999")
_MARKS_OF_FLOORS = ("s", "^")


@dataclass(frozen=True, slots=True)
class _Plot:
    title: str
    x: str
    y: str
    x_base: float
    y_is_log: bool = False
    limit: tuple[float, str] | None = None
    """A target line and its label."""


_PLOTS = {
    "time-by-size": _Plot(
        "Time to ingest a file", "size of the file, MiB", "seconds", 10, y_is_log=True
    ),
    "memory-by-size": _Plot(
        "Peak memory of an ingestion",
        "size of the file, MiB",
        "MiB above the bare process",
        10,
        limit=(100, "target: below 100 MiB"),
    ),
    "sagas-by-width": _Plot(
        "Nine-step sagas without file data", "sagas at once", "sagas per second", 2
    ),
    "replay-by-length": _Plot(
        "Replay of the whole log", "events in the log", "events per second", 10
    ),
}


def draw(series: Iterable[Series], folder: Path) -> list[Path]:
    """Write a file for each plot of these series. Returns the files.

    Raises:
        ValueError: there are no series, or a series of an unknown plot.
    """
    lines: dict[str, list[Series]] = {}
    for one in series:
        lines.setdefault(one.plot, []).append(one)
    if not lines:
        raise ValueError("there is nothing to draw: no case of series was measured")
    unknown = lines.keys() - _PLOTS.keys()
    if unknown:
        raise ValueError(f"it is unknown how to draw {', '.join(sorted(unknown))}")
    folder.mkdir(parents=True, exist_ok=True)
    return [_drawn(_PLOTS[name], of_it, folder / f"{name}.svg") for name, of_it in lines.items()]


def _drawn(plot: _Plot, lines: Sequence[Series], path: Path) -> Path:
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        _draw_lines(axes, lines)
        if plot.limit is not None:
            limit, label = plot.limit
            axes.axhline(limit, color=_FLOORS[0], linestyle=":", label=label)
        _set_axes(axes, plot, sorted({x for line in lines for x in line.x}))
        named = list(zip(*axes.get_legend_handles_labels(), strict=True))
        # The library lists lines without bars first; the limit is to be the last entry.
        limits = 0 if plot.limit is None else 1
        handles, labels = zip(*named[limits:], *named[:limits], strict=True)
        # Below the axes, where the legend cannot cover a line.
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return path


def _draw_lines(axes: Axes, lines: Sequence[Series]) -> None:
    """Draw our line first and strongest, peers in colours, floors dashed and grey."""
    peers, floors = iter(_PEERS), iter(zip(_FLOORS, _MARKS_OF_FLOORS, strict=True))
    for number, line in enumerate(lines):
        if line.is_floor:
            colour, mark = next(floors)
        else:
            colour, mark = (_OURS, "o") if number == 0 else (next(peers), "D")
        middles = [median(rounds) for rounds in line.figures]
        below = [middle - min(at) for middle, at in zip(middles, line.figures, strict=True)]
        above = [max(at) - middle for middle, at in zip(middles, line.figures, strict=True)]
        axes.errorbar(
            line.x,
            middles,
            yerr=[below, above],
            label=f"{line.line} (floor)" if line.is_floor else line.line,
            color=colour,
            marker=mark,
            markersize=5,
            linewidth=2 if number == 0 else 1.4,
            linestyle="--" if line.is_floor else "-",
            capsize=3,
            zorder=3 if number == 0 else 2,
        )


def _set_axes(axes: Axes, plot: _Plot, sizes: Sequence[float]) -> None:
    plain = FuncFormatter(lambda value, _: f"{value:,g}" if value < 1 else f"{value:,.0f}")
    axes.set_title(plot.title)
    axes.set_xlabel(plot.x)
    axes.set_xscale("log", base=plot.x_base)
    axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(plain)
    axes.set_ylabel(plot.y)
    if plot.y_is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(plain)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
