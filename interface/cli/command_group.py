"""The `sagaledger` command's options, and its subcommands."""

from __future__ import annotations

import logging
from pathlib import Path

import click
from click.core import ParameterSource
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.subcommands import Subcommands, placeholders

__all__ = ["command_group"]

_EXIT_CODES = """\b
Exit codes:
  0 done                 1 failed                2 wrong usage
  3 unknown id           4 rolled back           5 rollback incomplete
  6 data folder unusable 7 source unusable       8 not in this state
  9 unfinished          10 integrity            11 output not writable
 12 not certified      130 stopped
"""


@click.group(
    cls=Subcommands,
    commands=placeholders(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXIT_CODES,
)
@click.version_option(package_name="sagaledger", message="%(prog)s %(version)s")
@click.option(
    "--data",
    envvar="SAGALEDGER_DATA",
    default="sagaledger-data",
    show_default=True,
    # The data folder itself checks whether it can be used.
    type=click.Path(path_type=Path, readable=False),
    help="The data folder; also SAGALEDGER_DATA.",
)
@click.option(
    "--config",
    envvar="SAGALEDGER_CONFIG",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Settings instead of sagaledger.toml in the data folder; also SAGALEDGER_CONFIG.",
)
@click.option(
    "--log",
    envvar="SAGALEDGER_LOG",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append every event to FILE, as JSON lines; also SAGALEDGER_LOG.",
)
@click.option(
    "--app",
    default="",
    metavar="NAME",
    help="Register the sagas of your app, module:attribute; also SAGALEDGER_APP.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and debug messages.")
@pass_invocation
def command_group(
    invocation: Invocation,
    data: Path,
    config: Path | None,
    log: Path | None,
    app: str,
    debug: bool,
) -> None:
    """Ingest files into several databases, all or nothing, with proof."""
    source = click.get_current_context().get_parameter_source("data")
    invocation.named_data = data if source is ParameterSource.COMMANDLINE else None
    invocation.config = config
    invocation.debug = debug
    # Only a file outside the data folder can name the data folder.
    invocation.data = invocation.settings().data if config else data
    invocation.app = app
    level = logging.INFO if debug else logging.CRITICAL
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    if log is not None:
        from sagaledger.interface.cli.log_file import log_to_file

        log_to_file(log)
