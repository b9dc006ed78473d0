"""The `sagaledger` command's options, and its subcommands."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from sagaledger.interface.cli.subcommands import Subcommands, placeholders

if TYPE_CHECKING:
    from sagaledger.interface.bootstrap.settings import Setting, Settings

__all__ = ["Invocation", "command_group", "current_invocation"]

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
    named_data: Path | None = None
    """The data folder as the flag names it; None where the configuration says which."""
    config: Path | None = None
    """The configuration file; None for the one in the data folder, if there is one."""

    def settings(self, flags: Sequence[Setting] = ()) -> Settings:
        """What holds for this invocation; flags of the command win.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        from sagaledger.interface.bootstrap.sources import load_settings

        return load_settings(self.named_data, self.config, flags, data_source="--data")


def current_invocation() -> Invocation:
    """The invocation that the command of this context belongs to."""
    invocation: Invocation = click.get_current_context().meta[_META]
    return invocation


_META = "sagaledger.invocation"


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
    # Whether it can be used is for the data folder itself to say.
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
@click.option("--debug", is_flag=True, help="Show tracebacks and what goes on inside.")
@click.pass_context
def command_group(
    context: click.Context, data: Path, config: Path | None, log: Path | None, debug: bool
) -> None:
    """Bring files into several databases as a whole, or not at all, and prove it."""
    invocation = context.find_object(Invocation)
    assert invocation is not None
    is_named = context.get_parameter_source("data") is ParameterSource.COMMANDLINE
    invocation.named_data = data if is_named else None
    invocation.config = config
    invocation.debug = debug
    # Only a file that is not in the data folder can say which one it is.
    invocation.data = invocation.settings().data if config else data
    context.meta[_META] = invocation
    context.obj = invocation.data
    level = logging.INFO if debug else logging.CRITICAL
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    if log is not None:
        from sagaledger.interface.library.structured_logs import log_to_file

        log_to_file(log)
