"""`sagaledger top`: shows running sagas, refreshed until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.figures import bytes_text, duration_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import printable, say
from sagaledger.interface.cli.render.tables import table_lines
from sagaledger.projections import LiveSaga, Overview, Projector, live_sagas, overview

__all__ = ["top_command"]

_US = 1_000_000


@click.command()
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    help="Seconds between two refreshes.",
)
@click.option("--once", is_flag=True, help="Print once and exit; the default without a terminal.")
@json_option("Print JSON, once.")
@pass_invocation
def top_command(invocation: Invocation, every: float, once: bool, as_json: bool) -> int:
    """Watch the running sagas, until Ctrl-C."""
    with existing_projections(invocation) as projector:
        if as_json:
            print_json({"overview": overview(projector), "sagas": live_sagas(projector)})
        elif once or not sys.stdout.isatty():
            for line in _lines(projector):
                say(line)
        else:
            _live(projector, every)
    return ExitCode.OK


def _live(projector: Projector, every_s: float) -> None:
    from rich.live import Live
    from rich.text import Text

    def look() -> Text:
        return Text("\n".join(map(printable, _lines(projector))), no_wrap=True)

    try:
        with Live(look(), auto_refresh=False, screen=True) as screen:
            while True:
                time.sleep(every_s)
                screen.update(look(), refresh=True)
    except KeyboardInterrupt:
        # Ctrl-C is the regular way to end it.
        return


def _lines(projector: Projector) -> Iterator[str]:
    yield _summary(overview(projector))
    columns = (
        "SAGA",
        "STATUS",
        "STEP",
        "TRY",
        "CHUNKS",
        "STORED",
        "RATE",
        "AGE",
        "QUIET",
        "SOURCE",
    )
    now_us = time.time_ns() // 1000
    rows = [_row(saga, now_us) for saga in live_sagas(projector)]
    yield from table_lines(columns, rows, "no open sagas")


def _summary(counts: Overview) -> str:
    return (
        f"{counts.open:,} open, {counts.completed:,} completed, "
        f"{counts.compensated:,} rolled back, {counts.compensation_failed:,} rollbacks failed, "
        f"{counts.failed:,} parked; {counts.orphans:,} orphans, {counts.alerts:,} alerts"
    )


def _row(saga: LiveSaga, now_us: int) -> Sequence[str]:
    # Other workers' clocks may be ahead of ours.
    age_s, quiet_s, sending_s = (
        max(0, now_us - since_us) / _US
        for since_us in (saga.started_us, saga.changed_us, saga.upload_us)
    )
    is_sending = saga.step == "upload" and saga.upload_us and sending_s
    return (
        saga.saga_id[:12],
        f"{saga.status}{' (paused)' if saga.paused else ''}",
        saga.step or "-",
        str(saga.attempt),
        f"{saga.chunks_written:,}/{saga.chunk_count:,}" if saga.chunk_count else "-",
        bytes_text(saga.stored_bytes) if saga.chunk_count else "-",
        f"{bytes_text(saga.stored_bytes / sending_s)}/s" if is_sending else "-",
        duration_text(age_s),
        duration_text(quiet_s),
        saga.source,
    )
