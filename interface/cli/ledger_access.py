"""Opens the ledger for a command, and lets Ctrl-C end its work at a checkpoint."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation
from sagaledger.interface.cli.render.output import warn
from sagaledger.interface.library.ledger import Ledger
from sagaledger.interface.library.opening import open_configured

if TYPE_CHECKING:
    from sagaledger.interface.bootstrap.settings import Setting
    from sagaledger.interface.library.saga_app import SagaApp

__all__ = [
    "existing_ledger",
    "look_after",
    "new_or_existing_ledger",
    "require_room",
    "stopping_on_signals",
]

_SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def existing_ledger(invocation: Invocation, flags: Sequence[Setting] = ()) -> Iterator[Ledger]:
    """Open an existing data folder. A mistyped one must not be created.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataFolderError: The folder does not exist or cannot be used.
        AppError: The app of the invocation cannot be used.
    """
    from sagaledger.infrastructure.data_folder import DataFolder

    DataFolder.require(invocation.data)
    with new_or_existing_ledger(invocation, flags) as ledger:
        yield ledger


@contextmanager
def new_or_existing_ledger(
    invocation: Invocation, flags: Sequence[Setting] = ()
) -> Iterator[Ledger]:
    """Open or create a data folder, with the definitions of the invocation's app.

    Args:
        invocation: names the folder, the configuration and the app.
        flags: settings by flags of the command; they win over the configuration.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataFolderError: It cannot be used, or was made with other stores or another embedder.
        AppError: The app of the invocation cannot be used.
    """
    settings = invocation.settings(flags)
    name = settings.values["app"].value
    # First: if the app does not exist, nothing must be opened or created.
    app = _app(name) if name else None
    with open_configured(settings) as ledger:
        if app is not None:
            app.register(ledger)
        yield ledger


def _app(name: str) -> SagaApp:
    from sagaledger.interface.library.saga_app import load_app

    return load_app(name)


def require_room(data: Path) -> None:
    """Refuse to start work that could not even be undone on a full disk.

    Raises:
        DataFolderError: The disk is nearly full.
    """
    from sagaledger.infrastructure.data_folder import DataFolder

    DataFolder.require_room(data)


def look_after(ledger: Ledger) -> None:
    """Bring alerts and reports up to date; failures are reported and do not stop the caller."""
    try:
        ledger.watch()
    except SagaledgerError as error:
        warn(f"alerts and reports are not up to date: {error}")


@contextmanager
def stopping_on_signals(ledger: Ledger) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM stop the work at the next checkpoint and undo nothing.

    A second signal ends the process at once; a recovery continues as after a crash.
    """

    def stop(_number: int, _frame: object) -> None:
        if ledger.orchestrator.stopping.is_set():
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), _SHOW_CURSOR)
            os._exit(ExitCode.INTERRUPTED)
        ledger.stop()

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
