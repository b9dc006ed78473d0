"""What the benchmark makes of its figures: ratios, verdicts, what it keeps when a case fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.figures import Failed, Figures
from benchmarks.harness import (
    Case,
    Comparison,
    LeftOut,
    Result,
    Series,
    in_turn,
    interleaved,
    settled,
)
from benchmarks.machine import machine
from benchmarks.processes import run_to_end
from benchmarks.run import chosen, run
from benchmarks.tables import markdown, table

SLOWER = Comparison(
    "ingest", "300 MiB", "cp + sync", [4.0, 2.0, 3.0], [1.0, 1.0, 1.0], "s", 3.0,
    at_most=True, peak_mib=120.4, settings={"peer": "cp 9", "durable": "fsync"},
)  # fmt: skip
LINE = Series("series-time", "time-by-size", "ours", [1, 10], [[0.1, 0.2], [1.0, 1.5]])


def test_comparison_has_the_median_of_the_ratios_of_its_rounds() -> None:
    assert SLOWER.ratios == [4.0, 2.0, 3.0]
    assert SLOWER.ratio == 3.0


def test_comparison_of_two_durations_tells_how_many_times_faster_ours_is() -> None:
    faster = replace(SLOWER, ours=[2.0], theirs=[5.0], times_faster=True)
    assert faster.ratios == [2.5]


@pytest.mark.parametrize(
    ("target", "at_most", "least", "verdict", "bounds"),
    [
        (3.0, True, None, "met", "≤ 3"),
        (2.99, True, None, "MISSED", "≤ 2.99"),
        (3.0, False, None, "met", "≥ 3"),
        (3.01, False, None, "MISSED", "≥ 3.01"),
        (3.1, True, 2.9, "met", "2.9 to 3.1"),
        (4.0, True, 3.01, "MISSED", "3.01 to 4"),
        (None, True, None, "", "-"),
    ],
)
def test_verdict_holds_the_median_ratio_against_the_limits(
    target: float | None, at_most: bool, least: float | None, verdict: str, bounds: str
) -> None:
    measured = replace(SLOWER, target=target, at_most=at_most, least=least)
    assert (measured.verdict, measured.bounds) == (verdict, bounds)
    assert measured.is_met is (verdict != "MISSED")


@pytest.mark.parametrize(
    ("ours", "theirs", "times_faster"),
    [
        ([], [], False),
        ([1.0], [1.0, 2.0], False),
        ([1.0], [0.0], False),
        ([0.0], [1.0], True),
        ([float("nan")], [1.0], False),
        ([1.0], [float("inf")], False),
    ],
)
def test_comparison_without_a_ratio_is_refused(
    ours: list[float], theirs: list[float], times_faster: bool
) -> None:
    with pytest.raises(ValueError, match="ingest, 300 MiB, against cp"):
        replace(SLOWER, ours=ours, theirs=theirs, times_faster=times_faster)


def test_ways_are_taken_in_turn_each_round_backwards_after_one_forwards() -> None:
    order: list[tuple[str, int]] = []

    def way(name: str) -> float:
        order.append((name, len(order)))
        return float(len(order))

    figures = in_turn(2, [lambda _: way("a"), lambda _: way("b"), lambda _: way("c")])
    assert [name for name, _ in order] == ["a", "b", "c", "c", "b", "a"]
    assert figures == [[1.0, 6.0], [2.0, 5.0], [3.0, 4.0]]
    assert interleaved(3, float, lambda number: -number) == ([0, 1, 2], [0, -1, -2])


def test_settled_way_is_taken_twice_in_a_row_and_the_second_counts() -> None:
    taken: list[int] = []

    def way(number: int) -> float:
        taken.append(number)
        return float(len(taken))

    assert settled(way)(7) == 2.0
    assert taken == [7, 7]


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = Figures(
        {"cpus": "2"}, 3, [SLOWER], [LINE], [LeftOut("sagas", "no dbos")], [Failed("log", "full")]
    )
    kept.write(tmp_path / "figures.json")
    assert Figures.read(tmp_path / "figures.json") == kept
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_json_tells_ratios_and_verdicts_and_every_round(tmp_path: Path) -> None:
    Figures({}, 3, [SLOWER]).write(tmp_path / "figures.json")
    (row,) = json.loads((tmp_path / "figures.json").read_text())["comparisons"]
    assert row["ours"] == [4.0, 2.0, 3.0]
    assert (row["ratio"], row["ratios"], row["verdict"]) == (3.0, [4.0, 2.0, 3.0], "met")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": {}, "comparisons": []}'])
def test_file_without_figures_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        Figures.read(tmp_path / "other.json")


def test_failing_case_is_told_and_the_figures_of_all_others_are_kept(tmp_path: Path) -> None:
    kept_at = tmp_path / "figures.json"

    def fails_late(_scratch: Path, _rounds: int) -> Iterator[Result]:
        yield replace(SLOWER, case="late")
        assert Figures.read(kept_at).comparisons[-1].case == "late"
        raise ZeroDivisionError("float division by zero")

    def lacks_a_peer(_scratch: Path, _rounds: int) -> Iterator[Result]:
        raise ModuleNotFoundError("No module named 'dbos'")

    def is_well(scratch: Path, rounds: int) -> Iterator[Result]:
        assert scratch.is_dir()
        assert rounds == 4
        yield replace(SLOWER, case="well")
        yield replace(LINE, case="well")

    figures = Figures(rounds=4)
    run({"late": fails_late, "peer": lacks_a_peer, "well": is_well}, figures, tmp_path, kept_at)
    assert [measured.case for measured in figures.comparisons] == ["late", "well"]
    assert figures.failed == [Failed("late", "ZeroDivisionError: float division by zero")]
    assert figures.left_out == [LeftOut("peer", "No module named 'dbos'; pip install '.[bench]'")]
    assert not figures.is_good
    assert Figures.read(kept_at) == figures
    assert list(tmp_path.iterdir()) == [kept_at]


def test_interrupted_run_has_kept_what_was_measured(tmp_path: Path) -> None:
    def interrupted(_scratch: Path, _rounds: int) -> Iterator[Result]:
        yield SLOWER
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run({"ingest": interrupted}, Figures(), tmp_path, tmp_path / "figures.json")
    assert Figures.read(tmp_path / "figures.json").comparisons == [SLOWER]


def test_case_that_is_measured_again_replaces_its_earlier_figures(tmp_path: Path) -> None:
    again = replace(SLOWER, ours=[1.0], theirs=[1.0])
    other = replace(SLOWER, case="log")
    figures = Figures({}, 1, [SLOWER, other], [], [LeftOut("ingest", "why")], [Failed("log", "")])
    run({"ingest": lambda _scratch, _rounds: [again]}, figures, tmp_path, None)
    assert figures == Figures({}, 1, [other, again], [], [], [Failed("log", "")])


def test_name_stands_for_a_case_and_for_those_that_begin_with_it() -> None:
    names = ("series-time", "series-sagas", "sagas", "log")
    cases: dict[str, Case] = dict.fromkeys(names, lambda _scratch, _rounds: [])
    assert chosen([], cases) == list(cases)
    assert chosen(["log", "series", "series-sagas"], cases) == [
        "log", "series-time", "series-sagas",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no case ser; there are series-time"):
        chosen(["ser"], cases)


def test_table_shows_spread_memory_and_each_setting_once() -> None:
    figures = Figures(
        {}, 3, [SLOWER, replace(SLOWER, what="1024 MiB", target=2.0, peak_mib=None)], [LINE],
        [LeftOut("restate", "no server")], [Failed("log", "OSError: full")],
    )  # fmt: skip
    head, first, second, _, *below = table(figures).splitlines()
    assert first.split("  ")[0] == "ingest"
    assert first[head.index("SPREAD") :].split()[:5] == ["2", "to", "4", "3", "≤"]
    assert first[head.index("MIB") :].split() == ["120", "met"]
    assert second[head.index("MIB") :].split() == ["-", "MISSED"]
    assert below == [
        "cp + sync: cp 9; durable fsync",
        "left out of restate: no server",
        "FAILED: log: OSError: full",
    ]


def test_markdown_has_the_table_the_machine_and_what_is_missing() -> None:
    figures = Figures(
        {"cpus": "2", "file system": "ext4"}, 3,
        [SLOWER, replace(SLOWER, what="a | b", target=2.0)], [], [], [Failed("log", "full")],
    )  # fmt: skip
    lines = markdown(figures).splitlines()
    assert lines[2] == (
        "| `ingest` | 300 MiB | 3 s | cp + sync | 1 s | 3 | 2 to 4 | 3 | ≤ 3 | met | 120 |"
    )
    assert r"| a \| b |" in lines[3]
    assert "| **missed** |" in lines[3]
    assert "Machine: cpus 2, file system ext4." in lines
    assert "- cp + sync: cp 9; durable fsync" in lines
    assert "- FAILED: log: full" in lines


def test_machine_is_told_with_the_file_system_of_the_folder(tmp_path: Path) -> None:
    told = machine(tmp_path)
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(told.values())
    assert str(tmp_path) not in told.values()


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_peak_of_a_program_is_its_own_and_not_that_of_who_started_it() -> None:
    held = bytearray(b"x") * (256 * 1024 * 1024)
    wait = (
        "import sys, time; b = bytearray(b'x') * int(sys.argv[1]); time.sleep(0.3); print('done')"
    )
    peaks = []
    for size_mib in (1, 96):
        ended = run_to_end([sys.executable, "-S", "-c", wait, str(size_mib * 1024 * 1024)])
        assert (ended.returncode, ended.stdout) == (0, "done\n")
        assert ended.peak_mib is not None
        peaks.append(ended.peak_mib)
    assert peaks[1] - peaks[0] == pytest.approx(95, abs=5)
    assert peaks[0] < 64 < len(held)


def test_exit_code_and_errors_of_a_program_are_told() -> None:
    ended = run_to_end(["sh", "-c", "echo no >&2; exit 3"])
    assert (ended.returncode, ended.stderr) == (3, "no\n")


def _benchmarks(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_command_shows_earlier_figures_anew_and_measures_nothing(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier.json"
    Figures({"cpus": "2"}, 3, [SLOWER], [LINE]).write(earlier)
    done = _benchmarks(
        "--from", earlier, "--json", tmp_path / "again.json",
        "--markdown", tmp_path / "table.md", "--plots", tmp_path / "figures",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 to 4" in done.stdout
    assert (tmp_path / "again.json").read_text() == earlier.read_text()
    assert "| met | 120 |" in (tmp_path / "table.md").read_text()
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["time-by-size.svg"]


@pytest.mark.parametrize(
    "figures",
    [
        Figures(comparisons=[replace(SLOWER, target=2.0)]),
        Figures(comparisons=[SLOWER], failed=[Failed("log", "full")]),
        Figures(comparisons=[SLOWER], left_out=[LeftOut("restate", "no server")]),
    ],
    ids=["missed", "failed", "left-out"],
)
def test_command_exits_with_1_where_something_is_amiss(tmp_path: Path, figures: Figures) -> None:
    figures.write(tmp_path / "figures.json")
    assert _benchmarks("--from", tmp_path / "figures.json").returncode == 1


def test_command_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    for arguments, told in (
        (["nothing"], "no case nothing"),
        (["--from", tmp_path / "none.json"], "none.json"),
        (["--rounds", "0"], "at least one round"),
    ):
        done = _benchmarks(*arguments)
        assert done.returncode == 2
        assert told in done.stderr
