"""The `sagaledger` command: its groups of subcommands, and how it ends."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.document_commands import DOCUMENT_COMMANDS
from sagaledger.interface.exit_codes import ExitCode, code_of_error
from sagaledger.interface.ingest_command import ingest
from sagaledger.interface.saga_commands import SAGA_COMMANDS

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sagaledger", message="%(prog)s %(version)s")
@click.option(
    "--data",
    envvar="SAGALEDGER_DATA",
    default="sagaledger-data",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The data folder; also SAGALEDGER_DATA.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and what goes on inside.")
@click.pass_context
def cli(context: click.Context, data: Path, debug: bool) -> None:
    """Bring files into several databases as a whole, or not at all, and prove it."""
    context.obj = data
    level = logging.INFO if debug else logging.CRITICAL
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


cli.add_command(ingest)
for command in (*DOCUMENT_COMMANDS, *SAGA_COMMANDS):
    cli.add_command(command)


def main() -> int:
    """Run the command, and return its exit code."""
    debug = "--debug" in sys.argv
    try:
        code = cli.main(prog_name="sagaledger", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("stopped; `sagaledger recover` goes on from here\n")
        return ExitCode.INTERRUPTED
    except SagaledgerError as error:
        if debug:
            raise
        sys.stderr.write(f"error: {_one_line(error)}\n")
        return code_of_error(error)
    except BrokenPipeError:
        # The reader of our output has left: nothing is wrong with the work.
        sys.stderr.close()
        return ExitCode.OK
    return int(code or 0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
