"""Formats the figures of a run as a table for the terminal and as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from benchmarks.figures import Figures
from benchmarks.harness import Comparison, Series

__all__ = ["markdown", "table"]

_HEAD = ("CASE", "WHAT", "OURS", "AGAINST", "THEIRS", "RATIO", "SPREAD", "N", "TARGET", "MIB", "")
_MARKDOWN_HEAD = (
    "case", "what", "ours", "against", "theirs", "ratio", "spread", "rounds",
    "target", "", "peak MiB",
)  # fmt: skip


def table(figures: Figures) -> str:
    """The comparisons in aligned columns, followed by the settings of peers and floors."""
    rows: list[tuple[str, ...]] = [_HEAD] if figures.comparisons else []
    for c in figures.comparisons:
        case, what, *others = _cells(c)
        rows.append((case, what, *others, _peak(c), c.verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", *_settings(figures), *_missing(figures)]).strip()


def markdown(figures: Figures) -> str:
    """The same as a page: the table, the machine, the settings, and the missing cases."""
    rows: list[tuple[str, ...]] = [_MARKDOWN_HEAD, ("---",) * len(_MARKDOWN_HEAD)]
    for c in figures.comparisons:
        verdict = {"met": "met", "MISSED": "**missed**", "": ""}[c.verdict]
        case, *others = _cells(c)
        rows.append((f"`{case}`", *others, verdict, _peak(c)))
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    machine = ", ".join(f"{name} {value}" for name, value in figures.machine.items())
    lines += [
        "",
        "Medians of the rounds; the spread is that of the ratios, from the least to the largest.",
        "",
        f"Machine: {machine}.",
    ]
    for notes in (list(_settings(figures)), list(_missing(figures))):
        lines += ["", *(f"- {line}" for line in notes)] if notes else []
    return "\n".join(lines) + "\n"


def _cells(c: Comparison) -> Sequence[str]:
    """The cells of a comparison that both tables share, up to its target."""
    return (
        c.case,
        c.what,
        f"{median(c.ours):.4g} {c.unit}",
        c.against,
        f"{median(c.theirs):.4g} {c.unit}",
        f"{c.ratio:.3g}",
        f"{min(c.ratios):.3g} to {max(c.ratios):.3g}",
        str(len(c.ours)),
        c.bounds,
    )


def _peak(c: Comparison) -> str:
    return "-" if c.peak_mib is None else f"{c.peak_mib:.0f}"


def _settings(figures: Figures) -> Iterator[str]:
    """One line for each peer and floor with its version and settings."""
    of_both: Iterable[tuple[str, Comparison | Series]] = [
        *((c.against, c) for c in figures.comparisons),
        *((s.line, s) for s in figures.series),
    ]
    notes = dict.fromkeys(
        (name, "; ".join(_setting(*pair) for pair in measured.settings.items()))
        for name, measured in of_both
        if measured.settings
    )
    return (f"{name}: {settings}" for name, settings in notes)


def _setting(name: str, value: str) -> str:
    return value if name == "peer" else f"{name} {value}"


def _missing(figures: Figures) -> Iterator[str]:
    yield from (f"left out of {part.case}: {part.why}" for part in figures.left_out)
    yield from (f"FAILED: {failed.case}: {failed.error}" for failed in figures.failed)
