"""Runs cases one after another; a failing case does not stop the others."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Failed, Figures
from benchmarks.harness import Case, LeftOut

__all__ = ["chosen", "run"]


def chosen(names: Iterable[str], cases: Mapping[str, Case]) -> list[str]:
    """The named cases, or all; a name also selects all cases that start with it and a dash.

    Raises:
        ValueError: a name matches no case.
    """
    found: list[str] = []
    for name in names:
        meant = [case for case in cases if case == name or case.startswith(f"{name}-")]
        if not meant:
            raise ValueError(f"no case {name}; there are {', '.join(cases)}")
        found += meant
    return list(dict.fromkeys(found)) or list(cases)


def run(
    cases: Mapping[str, Case], figures: Figures, scratch: Path | None, kept_at: Path | None
) -> None:
    """Add the results of the cases to the figures, and write the figures after each result.

    A failing case is recorded as failed, and its earlier results are kept. An exception that stops
    the whole run, such as an interrupt, is passed on; the figures written until then are complete.
    """
    figures.forget(cases)
    for name, case in cases.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
                for result in case(Path(folder), figures.rounds):
                    assert result.case == name, f"{name} yields a result of {result.case}"
                    figures.add(result)
                    _keep(figures, kept_at)
        except ImportError as error:
            figures.add(LeftOut(name, f"{error}; pip install '.[bench]'"))
        except Exception as error:  # noqa: BLE001 - the report lists it with the figures
            traceback.print_exc()
            figures.failed.append(Failed(name, f"{type(error).__name__}: {error}"))
        _keep(figures, kept_at)


def _keep(figures: Figures, path: Path | None) -> None:
    if path is not None:
        figures.write(path)
