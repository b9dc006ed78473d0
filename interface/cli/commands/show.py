"""`sagaledger show`: prints the history, event by event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby, pairwise

import click
from sagaledger.application.engine.saga_repository import load_saga
from sagaledger.application.saga_history import events_about
from sagaledger.application.saga_lookup import sagas_about
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.saga.result import result_of
from sagaledger.domain.saga.state import Saga
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import duration_text, time_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.interface.library.plain_data import plain

__all__ = ["show_command"]

_SUMMARY_CHARS = 160
_RUN_SHOWN = 4
"""Longer series of events of one type are shortened to the first and the last one."""


@click.command()
@click.argument("given", metavar="SAGA|DOCUMENT")
@json_option()
@pass_invocation
def show_command(invocation: Invocation, given: str, as_json: bool) -> int:
    """Show the history of a saga, or of every saga about a document."""
    with existing_ledger(invocation) as ledger:
        histories = [
            (load_saga(ledger.log, summary.saga_id), events_about(ledger.log, summary.saga_id))
            for summary in sagas_about(ledger.directory, given)
        ]
    if as_json:
        print_json([{"saga": result_of(saga), "events": _event_rows(e)} for saga, e in histories])
        return ExitCode.OK
    for saga, events in histories:
        _print_history(saga, events)
    return ExitCode.OK


def _event_rows(events: list[RecordedEvent]) -> list[dict[str, object]]:
    return [
        {
            "position": recorded.position,
            "at_us": recorded.at_us,
            "worker": recorded.worker,
            "epoch": recorded.epoch,
            "type": type(recorded.event).__name__,
            "fields": plain(recorded.event),
        }
        for recorded in events
    ]


def _print_history(saga: Saga, events: list[RecordedEvent]) -> None:
    status = f"{saga.status.value}{' (paused)' if saga.paused else ''}"
    say(f"saga {saga.id.hex}  {saga.definition} {saga.definition_version}  {status}")
    rows: list[Sequence[str]] = []
    before = events[0]
    for _, group in groupby(events, lambda recorded: type(recorded.event)):
        run = list(group)
        rows.append(_row(before, run[0]))
        if len(run) > _RUN_SHOWN:
            rows.append(("…", "", "", "", f"{len(run) - 2:,} more", "--json has each"))
            rows.append(_row(run[-2], run[-1]))
        else:
            rows += [_row(*pair) for pair in pairwise(run)]
        before = run[-1]
    print_table(("POSITION", "TIME (UTC)", "AFTER", "EPOCH", "EVENT", "WHAT"), rows, "no events")


def _row(before: RecordedEvent, recorded: RecordedEvent) -> Sequence[str]:
    return (
        str(recorded.position),
        time_text(recorded.at_us),
        f"+{duration_text(max(0, recorded.at_us - before.at_us) / 1_000_000)}",
        str(recorded.epoch),
        type(recorded.event).__name__,
        _summary(recorded),
    )


def _summary(recorded: RecordedEvent) -> str:
    fields = plain(recorded.event)
    shown = {name: value for name, value in fields.items() if value not in ("", [])}
    text = ", ".join(f"{name} {_text_of(value)}" for name, value in shown.items())
    return text if len(text) <= _SUMMARY_CHARS else f"{text[: _SUMMARY_CHARS - 1]}…"


def _text_of(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
