"""The plots of the benchmark: what stands in them, and that they differ only where figures do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness import Series
from benchmarks.plots import draw

LINES = [
    Series("series-time", "time-by-size", "ours", [10, 1024], [[0.1, 0.2, 0.1], [2.0, 2.5, 2.1]]),
    Series("series-time", "time-by-size", "cp", [10, 1024], [[0.01], [1.0]], is_floor=True),
    Series("series-memory", "memory-by-size", "ours", [300, 5120], [[30.0], [31.0]]),
    Series("series-sagas", "sagas-by-width", "ours", [1, 16], [[300.0], [400.0]]),
    Series("series-sagas", "sagas-by-width", "DBOS", [1, 16], [[30.0], [29.0]]),
    Series("series-sagas", "sagas-by-width", "Restate", [1, 16], [[80.0], [180.0]]),
    Series("series-replay", "replay-by-length", "ours", [10_000, 1_000_000], [[5e5], [4e5]]),
]


def test_each_plot_is_a_file_with_its_axes_units_and_lines(tmp_path: Path) -> None:
    paths = draw(LINES, tmp_path / "figures")
    assert [path.name for path in paths] == [
        "time-by-size.svg", "memory-by-size.svg", "sagas-by-width.svg", "replay-by-length.svg",
    ]  # fmt: skip
    time, memory, sagas, replay = (_words(path) for path in paths)
    assert {"size of the file, MiB", "seconds", "ours", "cp (floor)", "10", "1,024"} <= time
    assert {"MiB above the bare process", "target: below 100 MiB", "5,120"} <= memory
    assert {"sagas at once", "sagas per second", "DBOS", "Restate", "1", "16"} <= sagas
    assert {"events in the log", "events per second", "1,000,000", "500,000"} <= replay


def test_drawing_the_same_figures_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in draw(LINES, tmp_path / "first")]
    again = [path.read_bytes() for path in draw(LINES, tmp_path / "again")]
    assert first == again
    assert all(b"dc:date" not in drawn for drawn in first)
    assert all(len(drawn) < 100_000 for drawn in first)


def test_other_figures_give_another_picture(tmp_path: Path) -> None:
    (drawn,) = draw(LINES[:1], tmp_path / "first")
    (other,) = draw([replace(LINES[0], figures=[[0.1], [3.0]])], tmp_path / "other")
    assert drawn.read_bytes() != other.read_bytes()


@pytest.mark.parametrize(
    ("lines", "why"),
    [([], "nothing to draw"), ([replace(LINES[0], plot="lag-by-age")], "how to draw lag-by-age")],
)
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, lines: list[Series], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        draw(lines, tmp_path / "figures")
    assert not (tmp_path / "figures").exists()


def _words(path: Path) -> set[str]:
    """All texts of a picture, which the library names in a comment beside their shapes."""
    return set(re.findall("<!-- (.+?) -->", path.read_text()))
