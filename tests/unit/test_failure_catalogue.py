"""The catalogue of failures and the tests that show them name each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

TESTS = Path(__file__).parents[1]
CONTRACTS = TESTS.parent / "testing" / "contracts"
CATALOGUE = (TESTS.parent / "docs" / "consistency.md").read_text()
POINT = re.compile(r"^\| (\d+) \| (.+) \| (.*) \| (.+) \| (.*) \|$", re.MULTILINE)
POINTS = {int(number): tests.split(", ") for number, _, _, _, tests in POINT.findall(CATALOGUE)}
FAILURE_TESTS = re.findall(r"`(test_\w+)`", CATALOGUE.partition("## Failure tests")[2])


def names_in(path: Path) -> Iterator[str]:
    """The tests of a file, those of a contract class too, as the catalogue names them."""
    for name in re.findall(r"^(?:    )?def (test_\w+)", path.read_text(), re.MULTILINE):
        yield f"{path.stem}::{name}"


def test_points_are_numbered_from_one_without_a_gap() -> None:
    assert list(POINTS) == list(range(1, len(POINTS) + 1))
    assert len(POINTS) > 80


def test_every_point_names_tests_that_exist() -> None:
    known = set(
        chain.from_iterable(map(names_in, [*TESTS.rglob("test_*.py"), *CONTRACTS.glob("*.py")]))
    )

    unknown = {number: set(tests) - known for number, tests in POINTS.items()}

    assert {number: tests for number, tests in unknown.items() if tests} == {}


def test_every_failure_test_belongs_to_a_point() -> None:
    named = set(chain.from_iterable(POINTS.values()))
    files = [path for path in TESTS.rglob("test_*.py") if path.stem in FAILURE_TESTS]

    assert len(files) == len(set(FAILURE_TESTS)) > 10
    assert {test for path in files for test in names_in(path)} - named == set()


def test_every_point_says_what_happens_and_every_row_is_a_point() -> None:
    rows = [line for line in CATALOGUE.splitlines() if re.match(r"\| \d+ \|", line)]

    assert len(rows) == len(POINTS)
