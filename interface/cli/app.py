"""The `sagaledger` command as a process: start, error messages and exit."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from click import ClickException, UsageError
    from sagaledger.interface.cli.invocation import Invocation

__all__ = ["main", "process"]

_INTERRUPTED = 130
_ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000
"""Imports produce no garbage, but its collection took an eighth of their time."""


def process() -> NoReturn:
    """Run the command as this process, and exit with its exit code.

    Skips the last part of the interpreter's shutdown, which dismantles engines and modules one at
    a time. That takes longer than the ingestion of a small file, and everything is closed and
    durable by then.
    """
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    code = 1

    def leave() -> None:
        os._exit(code)

    # What is registered first is called last: every library has done by then what it has for the
    # end, and threads that are to be waited for have ended. Every line was handed over when it
    # was written.
    atexit.register(leave)
    code = main()
    sys.exit(code)


def main() -> int:
    """Run the command, and return its exit code."""
    try:
        # Imported here, so that Ctrl-C is handled from the start.
        from sagaledger.interface.cli.render.output import prepare_output

        prepare_output()
        return _answered()
    except KeyboardInterrupt:
        return _stopped()
    except OSError as error:
        sys.stderr.write(f"error: {_one_line(error)}\n")
        return 1


def _answered() -> int:
    from click import Abort, ClickException, UsageError
    from sagaledger.domain.errors import SagaledgerError
    from sagaledger.interface.cli.command_group import command_group
    from sagaledger.interface.cli.invocation import Invocation
    from sagaledger.interface.cli.render.output import finish_output, warn

    invocation = Invocation(Path())
    try:
        code = command_group.main(prog_name="sagaledger", standalone_mode=False, obj=invocation)
        finish_output()
    except UsageError as error:
        return _wrong_usage(error)
    except ClickException as error:
        warn(f"error: {error.format_message()}")
        return error.exit_code
    except Abort:
        return _stopped()
    except SystemExit as error:
        context = error.__context__
        if isinstance(context, OSError) and context.errno == errno.EPIPE:
            # What click makes of a reader that left before the help was written.
            return 0
        return _unexpected(error, invocation)
    except (SagaledgerError, OSError) as error:
        if invocation.debug:
            traceback.print_exc()
        # Imported here, because only errors need them.
        from sagaledger.interface.cli.advice import advice_on
        from sagaledger.interface.cli.exit_codes import code_of_error

        warn(f"error: {_one_line(error)}{advice_on(error, invocation.data)}")
        for note in getattr(error, "__notes__", ()):
            warn(f"  {_one_line(note)}")
        return code_of_error(error)
    except Exception as error:  # noqa: BLE001 - adapters and steps of others raise anything
        return _unexpected(error, invocation)
    return int(code or 0)


def _unexpected(error: BaseException, invocation: Invocation) -> int:
    """Report an exception of another package's adapter, or of a defect, in one line."""
    from sagaledger.domain.errors import describe
    from sagaledger.interface.cli.exit_codes import ExitCode
    from sagaledger.interface.cli.render.output import warn

    if invocation.debug:
        traceback.print_exception(error)
    cause = f"unexpected {type(error).__name__}: {_one_line(describe(error))}"
    warn(f"error: {cause}; `sagaledger --debug …` shows where")
    return ExitCode.FAILED


def _stopped() -> int:
    sys.stderr.write("stopped; `sagaledger recover` continues the open sagas\n")
    return _INTERRUPTED


def _wrong_usage(error: UsageError) -> int:
    from click.exceptions import NoArgsIsHelpError, NoSuchOption
    from sagaledger.interface.cli.command_group import command_group
    from sagaledger.interface.cli.render.output import warn

    if isinstance(error, NoArgsIsHelpError):
        error.show()
        return error.exit_code
    command = error.ctx.command_path if error.ctx else "sagaledger"
    advice = f"see `{command} --help`"
    if isinstance(error, NoSuchOption):
        everywhere = {name for option in command_group.params for name in option.opts}
        if error.option_name in everywhere:
            advice = f"give {error.option_name} before the command: `sagaledger [OPTIONS] COMMAND`"
    sentence = _sentence(error)
    warn(f"error: {sentence}{'' if sentence.endswith('?') else ';'} {advice}")
    return error.exit_code


def _sentence(error: ClickException) -> str:
    text = _one_line(error.format_message()).rstrip(".")
    return text[:1].lower() + text[1:]


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
