"""The `sagaledger` command's options, and its subcommands."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import click
from sagaledger.interface.alerts_command import alerts
from sagaledger.interface.certify_command import certify
from sagaledger.interface.document_commands import DOCUMENT_COMMANDS
from sagaledger.interface.export_command import export
from sagaledger.interface.history_command import show
from sagaledger.interface.ingest_command import ingest
from sagaledger.interface.orphan_commands import orphans
from sagaledger.interface.project_command import project
from sagaledger.interface.query_command import query
from sagaledger.interface.saga_commands import SAGA_COMMANDS
from sagaledger.interface.sagas_command import plan, sagas
from sagaledger.interface.stats_command import stats
from sagaledger.interface.structured_logs import log_to_file
from sagaledger.interface.sweep_command import sweep
from sagaledger.interface.top_command import top

__all__ = ["Invocation", "command_group"]

_EXIT_CODES = """\b
Exit codes:
  0 done                 1 failed                2 wrong usage
  3 unknown id           4 rolled back           5 rollback incomplete
  6 data folder unusable 7 source unusable       8 not in this state
  9 unfinished          10 integrity            11 output not writable
 12 not certified      130 stopped
"""


@dataclass(slots=True)
class Invocation:
    """What the options before the subcommand say."""

    data: Path
    debug: bool = False


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_CODES)
@click.version_option(package_name="sagaledger", message="%(prog)s %(version)s")
@click.option(
    "--data",
    envvar="SAGALEDGER_DATA",
    default="sagaledger-data",
    show_default=True,
    # Whether it can be used is for the data folder itself to say.
    type=click.Path(path_type=Path, readable=False),
    help="The data folder; also SAGALEDGER_DATA.",
)
@click.option(
    "--log",
    envvar="SAGALEDGER_LOG",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append every event to FILE, as JSON lines; also SAGALEDGER_LOG.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and what goes on inside.")
@click.pass_context
def command_group(context: click.Context, data: Path, log: Path | None, debug: bool) -> None:
    """Bring files into several databases as a whole, or not at all, and prove it."""
    invocation = context.find_object(Invocation)
    assert invocation is not None
    invocation.data = data
    invocation.debug = debug
    context.obj = data
    level = logging.INFO if debug else logging.CRITICAL
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    if log is not None:
        log_to_file(log)


for command in (
    ingest,
    show,
    *DOCUMENT_COMMANDS,
    *SAGA_COMMANDS,
    sagas,
    plan,
    orphans,
    sweep,
    alerts,
    stats,
    top,
    project,
    query,
    export,
    certify,
):
    command_group.add_command(command)
