"""Runs cases one after another, so that what one of them does is not the end of the others."""

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
    """The cases that are named, or all; a name stands for all that begin with it and a dash too.

    Raises:
        ValueError: a name is that of no case.
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
    """Add what the cases give to the figures, and keep these after each one, if they are kept.

    A case that fails is among them as failed, with what it had given before. Whatever stops the
    whole run, as an interrupt does, is passed on; what was kept until then is complete.
    """
    figures.forget(cases)
    for name, case in cases.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            with TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
                for result in case(Path(folder), figures.rounds):
                    assert result.case == name, f"{result.case} is told by {name}"
                    figures.add(result)
                    _keep(figures, kept_at)
        except ImportError as error:
            figures.add(LeftOut(name, f"{error}; pip install '.[bench]'"))
        except Exception as error:  # noqa: BLE001 - it is told at the end, with the others' figures
            traceback.print_exc()
            figures.failed.append(Failed(name, f"{type(error).__name__}: {error}"))
        _keep(figures, kept_at)


def _keep(figures: Figures, path: Path | None) -> None:
    if path is not None:
        figures.write(path)
