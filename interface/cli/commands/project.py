"""`sagaledger project`: brings the read models up to date, follows the log, or rebuilds them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.figures import counted, duration_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.projections import Projector

__all__ = ["project_command"]

_POLL_S = 0.2


@click.command()
@click.option("--follow", is_flag=True, help="Follow new events, until Ctrl-C.")
@click.option(
    "--rebuild",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Rebuild one, or all, from the first event; readers see the old rows until then.",
)
@json_option()
@pass_invocation
def project_command(
    invocation: Invocation, follow: bool, rebuild: str | None, as_json: bool
) -> int:
    """Bring the read models up to date, and show their positions."""
    with existing_projections(invocation) as projector, _stopped_by_signals() as stop:
        if rebuild is not None:
            _rebuild(projector, rebuild, quiet=as_json)
        projector.catch_up()
        _print(projector, as_json)
        if follow:
            _follow(projector, stop, as_json)
    return ExitCode.OK


def _rebuild(projector: Projector, name: str, *, quiet: bool) -> None:
    known = [lag.name for lag in projector.lags()]
    if name and name not in known:
        message = f"no projection {name!r}; there are {', '.join(known)}"
        raise click.BadParameter(message, param_hint="'--rebuild'")
    began_s = time.monotonic()
    projector.rebuild([name] if name else [])
    if not quiet:
        made = name or counted(len(known), "projection")
        say(f"{made} rebuilt in {duration_text(time.monotonic() - began_s)}")


def _print(projector: Projector, as_json: bool) -> None:
    lags = projector.lags()
    if as_json:
        print_json(lags)
        return
    rows = [(lag.name, str(lag.version), f"{lag.position:,}", f"{lag.behind:,}") for lag in lags]
    print_table(("PROJECTION", "VERSION", "POSITION", "BEHIND"), rows, "no projections")


def _follow(projector: Projector, stop: Event, as_json: bool) -> None:
    reached = projector.catch_up()
    while not stop.wait(_POLL_S):
        before, reached = reached, projector.catch_up()
        if reached == before:
            continue
        if as_json:
            _print(projector, as_json)
        else:
            say(f"position {reached:,} (+{reached - before:,})")


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Set by Ctrl-C and SIGTERM. Stops between two batches, so that each is stored as a whole."""
    stop = Event()
    numbers: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
