"""Opens the ledger for a command, and lets Ctrl-C end its work at a checkpoint."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.cli.command_group import current_invocation
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.output import warn
from sagaledger.interface.library.ledger import Ledger
from sagaledger.projections import Projector

if TYPE_CHECKING:
    from sagaledger.interface.bootstrap.settings import Setting

__all__ = [
    "configured_ledger",
    "embedder_flag",
    "embedder_option",
    "existing_ledger",
    "existing_projections",
    "look_after",
    "require_room",
    "stopping_on_signals",
]

_SHOW_CURSOR = b"\x1b[?25h"


def existing_ledger(data: Path, *, embedder: str | None = None) -> Ledger:
    """Open a data folder that was made before: a mistyped one is not to come into being.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: there is none, or it cannot be used.
    """
    from sagaledger.infrastructure.data_folder import DataFolder

    DataFolder.require(data)
    return configured_ledger(embedder_flag(embedder))


def configured_ledger(flags: Sequence[Setting] = ()) -> Ledger:
    """Open the data folder of this invocation, made where it is new; flags win.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: it cannot be used, or was made with other stores or another embedder.
    """
    from sagaledger.interface.bootstrap.opening import open_data_folder

    return open_data_folder(current_invocation().settings(flags))


@contextmanager
def existing_projections(_data: Path) -> Iterator[Projector]:
    """Open the log and the read models of a data folder that was made before, and no store.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: there is none, or it cannot be used.
        DatabaseCorruptError: a database file is damaged.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: the log or the read models cannot be opened.
    """
    from sagaledger.interface.bootstrap.opening import open_read_models

    with open_read_models(current_invocation().settings()) as projector:
        yield projector


def require_room(data: Path) -> None:
    """Begin nothing that a full disk would not even let be undone.

    Raises:
        DataFolderError: the disk is nearly full.
    """
    from sagaledger.infrastructure.data_folder import DataFolder

    DataFolder.require_room(data)


def embedder_option(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    """The name of an embedder that is installed; a callback for click."""
    from sagaledger.interface.bootstrap.registry import AdapterKind, is_registered, names_of

    scheme = name.partition("://")[0].lower() if name else ""
    if name is not None and not is_registered(AdapterKind.EMBEDDER, scheme):
        known = ", ".join(names_of(AdapterKind.EMBEDDER))
        raise click.BadParameter(f"no embedder {name!r}; there are {known}", context, parameter)
    return name


def embedder_flag(name: str | None) -> list[Setting]:
    """What the flag `--embedder` sets; nothing where it was not given."""
    from sagaledger.interface.bootstrap.settings import Setting

    return [] if name is None else [Setting("embedder", name, "--embedder")]


def look_after(ledger: Ledger) -> None:
    """Bring alerts and reports up to date; what hinders that is told, and hinders nothing else."""
    try:
        ledger.watch()
    except SagaledgerError as error:
        warn(f"alerts and reports are not up to date: {error}")


@contextmanager
def stopping_on_signals(ledger: Ledger) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the work at the next checkpoint, undoing nothing.

    A second one ends the process at once: a recovery goes on from there, as after a crash.
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
