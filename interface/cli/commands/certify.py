"""`sagaledger certify`: tries to break every guarantee, on this machine and these stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sagaledger.interface.certification.faults import FaultKind
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import counted, duration_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import OutputUnusableError, say
from sagaledger.interface.cli.render.tables import print_table

if TYPE_CHECKING:
    from sagaledger.interface.certification.verdicts import CaseResult, Certificate

__all__ = ["certify_command"]

_SHOWN_FAILURES = 20
_positive = click.IntRange(min=1)


@click.command()
@click.option("--throwaway", is_flag=True, help="Use new stores even if a data folder exists.")
@click.option(
    "--duration",
    default=240.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds after which no further case starts; 0 runs all cases.",
)
@click.option("--cases", type=_positive, help="The maximum number of cases with one fault.")
@click.option(
    "--pairs",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The number of cases with two faults, chosen by the seed.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice([kind.option for kind in FaultKind]),
    help="Only faults of this kind; repeatable.",
)
@click.option("--seed", default=0, show_default=True, help="The seed for the order and the pairs.")
@click.option(
    "--file-size",
    default=10_000,
    show_default=True,
    type=_positive,
    help="Bytes of the test file.",
)
@click.option(
    "--chunk-size",
    default=4096,
    show_default=True,
    type=_positive,
    help="Bytes per chunk of the test file.",
)
@click.option(
    "--jobs",
    default=os.cpu_count() or 1,
    show_default="one per core",
    type=_positive,
    help="Cases in parallel.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a JSON report."
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML report."
)
@json_option()
@pass_invocation
def certify_command(
    invocation: Invocation,
    throwaway: bool,
    duration: float,
    cases: int | None,
    pairs: int,
    faults: tuple[str, ...],
    seed: int,
    file_size: int,
    chunk_size: int,
    jobs: int,
    report: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Break every call in every way, and check the guarantees.

    In each case one call of a saga to a store fails, lies, or kills the process. Afterwards the
    guarantees are checked in the real stores. Uses the stores of the data folder with a separate
    namespace and log, and removes everything afterwards; without a data folder, uses new stores.
    """
    from sagaledger.interface.certification.environment import open_environment
    from sagaledger.interface.certification.runner import Plan
    from sagaledger.interface.certification.runner import certify as run

    plan = Plan(
        seed=seed,
        duration_s=duration or None,
        max_cases=cases,
        pairs=pairs,
        jobs=jobs,
        faults=frozenset(kind for kind in FaultKind if not faults or kind.option in faults),
    )
    with (
        open_environment(
            invocation.settings(), file_size, chunk_size, throwaway=throwaway
        ) as environment,
        _bar(not as_json) as show,
    ):
        certificate = run(environment, plan, show)
    for path, kind in ((report, "json"), (html, "html")):
        if path is not None:
            _write(certificate, path, kind)
    if as_json:
        from sagaledger.interface.certification.report import certificate_facts

        print_json(certificate_facts(certificate))
    else:
        _print(certificate)
    return ExitCode.OK if certificate.holds else ExitCode.NOT_CERTIFIED


@contextmanager
def _bar(enabled: bool) -> Iterator[_Bar]:
    bar = _Bar(enabled)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    """The progress of the certification, on a terminal."""

    def __init__(self, enabled: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        shown = enabled and console.is_terminal
        self._bar = Progress(console=console, transient=True, disable=not shown)
        self._task = self._bar.add_task("cases", total=None)

    def __call__(self, result: CaseResult, total: int) -> None:
        # Not before the first result: the case processes are forked from this one, which must
        # not have a second thread by then.
        self._bar.start()
        self._bar.update(self._task, advance=1, total=total, description=result.scenario)

    def close(self) -> None:
        self._bar.stop()


def _write(certificate: Certificate, path: Path, kind: str) -> None:
    from sagaledger.interface.certification.report import write_html, write_json

    try:
        (write_json if kind == "json" else write_html)(certificate, path)
    except OSError as error:
        raise OutputUnusableError(str(path), error.strerror or str(error)) from error


def _print(certificate: Certificate) -> None:
    rows = [
        (t.guarantee, str(t.tried), str(t.passed), str(t.failed), t.guarantee.text)
        for t in certificate.tallies
    ]
    print_table(("GUARANTEE", "TRIED", "PASSED", "FAILED", "PROMISE"), rows, "")
    points = sum(certificate.points.values())
    say(
        f"{counted(points, 'port call')} in {counted(len(certificate.points), 'scenario')}, "
        f"{certificate.cases_total:,} faults at them; {len(certificate.results):,} tried in "
        f"{duration_text(certificate.duration_s)}, of which {certificate.tried:,} happened "
        f"(seed {certificate.seed})"
    )
    for failure in certificate.failures[:_SHOWN_FAILURES]:
        say(f"{failure.guarantee} failed: {failure.detail}; {failure.case}")
    more = len(certificate.failures) - _SHOWN_FAILURES
    if more > 0:
        say(f"and {more} more; see --report")
    for text in certificate.leftovers:
        say(f"residue in the stores: {text}")
    if certificate.holds:
        say("every guarantee held")
    else:
        why = "" if certificate.tried else ": nothing was tried; give more --duration or --cases"
        say(f"NOT certified{why}")
