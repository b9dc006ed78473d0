"""Commands about sagas: show, recover, cancel, rollback, pause, resume, orphans, sweep."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import UUID

import click
from sagaledger.application.journal import load_saga
from sagaledger.domain.errors import LeaseHeldError
from sagaledger.domain.events import Recorded
from sagaledger.domain.result import SagaExecutionResult, result_of
from sagaledger.domain.saga import Saga
from sagaledger.domain.values import upload_id_of
from sagaledger.interface.exit_codes import ExitCode, code_of_result
from sagaledger.interface.ingest_command import stopping_on_signals
from sagaledger.interface.ledger import Ledger, actor, open_ledger
from sagaledger.interface.lookup import saga_id_of, sagas_about
from sagaledger.interface.output import duration_text, plain, print_json, print_table, time_text
from sagaledger.projections import OrphanDirectory

__all__ = ["SAGA_COMMANDS"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_POLL_S = 0.1
_WAIT_S = 600.0


@click.command()
@click.argument("given", metavar="SAGA|DOCUMENT")
@_json
@click.pass_obj
def show(data: Path, given: str, as_json: bool) -> int:
    """Show the history of a saga, or of every saga about a document."""
    with open_ledger(data) as ledger:
        histories = [
            (load_saga(ledger.log, summary.saga_id), _events(ledger, summary.saga_id))
            for summary in sagas_about(ledger, given)
        ]
    if as_json:
        print_json([{"saga": result_of(saga), "events": _event_rows(e)} for saga, e in histories])
        return ExitCode.OK
    for saga, events in histories:
        _print_history(saga, events)
    return ExitCode.OK


def _events(ledger: Ledger, saga_id: UUID) -> list[Recorded]:
    streams = (saga_id, upload_id_of(saga_id))
    return sorted(
        (recorded for stream in streams for recorded in ledger.log.read_stream(stream)),
        key=lambda recorded: recorded.position,
    )


def _event_rows(events: list[Recorded]) -> list[dict[str, object]]:
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


def _print_history(saga: Saga, events: list[Recorded]) -> None:
    status = f"{saga.status.value}{' (paused)' if saga.paused else ''}"
    sys.stdout.write(f"saga {saga.id.hex}  {saga.definition} {saga.definition_version}  {status}\n")
    rows = []
    before_us = events[0].at_us
    for recorded in events:
        rows.append(
            (
                str(recorded.position),
                time_text(recorded.at_us),
                f"+{duration_text(max(0, recorded.at_us - before_us) / 1_000_000)}",
                str(recorded.epoch),
                type(recorded.event).__name__,
                _told(recorded),
            )
        )
        before_us = recorded.at_us
    print_table(("POSITION", "TIME (UTC)", "AFTER", "EPOCH", "EVENT", "WHAT"), rows, "no events")


def _told(recorded: Recorded) -> str:
    fields = plain(recorded.event)
    told = ", ".join(f"{name}={value}" for name, value in fields.items() if value not in ("", []))
    return told if len(told) <= 160 else f"{told[:157]}…"


@click.command("recover")
@_json
@click.pass_obj
def recover_sagas(data: Path, as_json: bool) -> int:
    """Bring every saga that an ended process left open to its end."""
    with open_ledger(data) as ledger, stopping_on_signals(ledger):
        report = ledger.recover()
    if as_json:
        print_json(report)
    else:
        rows = [(r.saga_id.hex[:12], r.status.value, r.reason or "-") for r in report.finished]
        rows += [(i.hex[:12], "driven elsewhere", owner) for i, owner in report.held.items()]
        rows += [(i.hex[:12], "paused", "sagaledger resume goes on") for i in report.paused]
        rows += [(i.hex[:12], "not recovered", cause) for i, cause in report.failed.items()]
        print_table(("SAGA", "STATUS", "WHY"), rows, "nothing to recover")
    if report.failed:
        return ExitCode.FAILED
    unclean = [r for r in report.finished if r.residue]
    return ExitCode.ROLLBACK_INCOMPLETE if unclean else ExitCode.OK


@click.command()
@click.argument("saga")
@click.option("--reason", default="cancelled by an operator", show_default=True)
@_json
@click.pass_obj
def cancel(data: Path, saga: str, reason: str, as_json: bool) -> int:
    """Roll a running SAGA back, wherever it runs, and wait for its end."""
    with open_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        ledger.control.cancel(saga_id, actor(), reason)
        result = _brought_to_end(ledger, saga_id)
    return _rolled_back(result, as_json)


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def rollback(data: Path, saga: str, as_json: bool) -> int:
    """Roll an open SAGA back, or take a failed rollback up again."""
    with open_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        found = load_saga(ledger.log, saga_id)
        if found.rollback is None:
            ledger.control.cancel(saga_id, actor(), "rollback asked for by an operator")
        elif found.set_aside is not None:
            ledger.control.resume(saga_id, actor())
        result = _brought_to_end(ledger, saga_id)
    return _rolled_back(result, as_json)


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def pause(data: Path, saga: str, as_json: bool) -> int:
    """Stop SAGA where it is, undoing nothing."""
    with open_ledger(data) as ledger:
        saga_id = saga_id_of(ledger, saga)
        ledger.control.pause(saga_id, actor())
        result = result_of(load_saga(ledger.log, saga_id))
    if as_json:
        print_json(result)
    else:
        sys.stdout.write(f"saga {saga_id.hex} pauses at its next checkpoint\n")
    return ExitCode.OK


@click.command()
@click.argument("saga")
@_json
@click.pass_obj
def resume(data: Path, saga: str, as_json: bool) -> int:
    """Let a paused, stopped or set-aside SAGA go on, here."""
    with open_ledger(data) as ledger, stopping_on_signals(ledger):
        saga_id = saga_id_of(ledger, saga)
        ledger.control.resume(saga_id, actor())
        result = ledger.drive(saga_id)
    if as_json:
        print_json(result)
    else:
        _print_result(result)
    return code_of_result(result)


def _brought_to_end(ledger: Ledger, saga_id: UUID) -> SagaExecutionResult:
    until_s = time.monotonic() + _WAIT_S
    while True:
        saga = load_saga(ledger.log, saga_id)
        if not saga.status.is_open and not (saga.residue and saga.rollback):
            return result_of(saga)
        try:
            return ledger.drive(saga_id)
        except LeaseHeldError:
            # Its owner sees the request at its next checkpoint and rolls it back itself.
            if time.monotonic() > until_s:
                raise
            time.sleep(_POLL_S)


def _rolled_back(result: SagaExecutionResult, as_json: bool) -> int:
    if as_json:
        print_json(result)
    else:
        _print_result(result)
    code = code_of_result(result)
    # Being rolled back is what was asked for.
    return ExitCode.OK if code is ExitCode.ROLLED_BACK else code


def _print_result(result: SagaExecutionResult) -> None:
    sys.stdout.write(f"saga {result.saga_id.hex}: {result.status.value}\n")
    for error in (*result.errors, *result.compensation_errors):
        sys.stdout.write(f"  error  {error}\n")
    for residue in result.residue:
        sys.stdout.write(f"  left   {residue.store}: {residue.ref} ({residue.detail})\n")


@click.command("orphans")
@click.option("--history", is_flag=True, help="Also what was removed since.")
@_json
@click.pass_obj
def list_orphans(data: Path, history: bool, as_json: bool) -> int:
    """List what rollbacks could not remove."""
    with open_ledger(data) as ledger:
        directory = OrphanDirectory(ledger.projector)
        orphans = directory.history() if history else directory.unresolved()
    if as_json:
        print_json(orphans)
        return ExitCode.OK
    print_table(
        ("STORE", "WHAT", "COUNT", "SINCE (UTC)", "TRIES", "REMOVED (UTC)", "SAGA", "WHY"),
        [
            (
                orphan.store,
                orphan.ref,
                str(orphan.count or "?"),
                time_text(orphan.since_us),
                str(orphan.tries),
                time_text(orphan.resolved_us),
                orphan.saga_id[:12],
                orphan.last_error or orphan.cause,
            )
            for orphan in orphans
        ],
        "no orphans",
    )
    return ExitCode.OK


@click.command()
@_json
@click.pass_obj
def sweep(data: Path, as_json: bool) -> int:
    """Remove what failed rollbacks and late writers left, and record it."""
    with open_ledger(data) as ledger:
        report = ledger.sweep()
        left = OrphanDirectory(ledger.projector).unresolved()
    if as_json:
        print_json({"report": report, "left": left})
    else:
        print_table(
            ("STORE", "REMOVED", "SAGA"),
            [(o.store, o.ref, o.saga_id[:12]) for o in report.removed],
            "nothing removed",
        )
        for unknown in report.unknown:
            sys.stdout.write(f"not ours to touch: {unknown.store} {unknown.ref}\n")
        for subject, cause in report.failed.items():
            sys.stdout.write(f"could not be swept: {subject}: {cause}\n")
        sys.stdout.write(f"{len(left)} orphans left\n")
    return ExitCode.ROLLBACK_INCOMPLETE if left or report.failed else ExitCode.OK


SAGA_COMMANDS = (
    show,
    recover_sagas,
    cancel,
    rollback,
    pause,
    resume,
    list_orphans,
    sweep,
)
