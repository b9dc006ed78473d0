"""Opens the ledger of a data folder with its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.library.ledger import Ledger

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder
    from sagaledger.domain.ports.event_observer import AppendParticipant, EventObserver
    from sagaledger.interface.bootstrap.settings import Settings

__all__ = ["open_configured", "open_ledger"]


def open_ledger(
    data: str | Path | None = None,
    config: StreamingSagaConfig | None = None,
    *,
    embedder: Embedder | str | None = None,
    config_file: str | Path | None = None,
    observers: Sequence[EventObserver] = (),
    participants: Sequence[AppendParticipant[Any]] = (),
) -> Ledger:
    """Open or create a data folder, with the configured stores.

    Args:
        data: the folder; by default `SAGALEDGER_DATA`, the configuration file's value, or
            `sagaledger-data`.
        config: the behaviour of its sagas; the configured one by default.
        embedder: the embedder or its name; by default the one that the folder was created with,
            `hashing` for a new folder.
        config_file: read instead of `sagaledger.toml` in the folder; `SAGALEDGER_CONFIG` by
            default.
        observers: receive every event that is stored through this ledger, with its position, once
            it is durable; each on its own thread, so that none fails or delays an append. Used in
            addition to the configured ones.
        participants: take part in each transaction of the event store: one that raises fails the
            append as a whole. Used in addition to the configured ones.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataFolderError: The folder cannot be used, or was made with other stores or another
            embedder.
        DatabaseCorruptError: A database file is damaged.
        StorageBackendError: A store cannot be opened.
        EmbedderUnavailableError: The embedder's extra is not installed.
    """
    # Imported here, because most programs configure nothing.
    from sagaledger.interface.bootstrap.settings import Setting
    from sagaledger.interface.bootstrap.sources import load_settings

    is_name = isinstance(embedder, str)
    arguments = [Setting("embedder", embedder, "argument embedder")] if is_name else []
    settings = load_settings(data, config_file, arguments, data_source="argument data")
    given = None if isinstance(embedder, str) else embedder
    return open_configured(
        settings, config, embedder=given, observers=observers, participants=participants
    )


def open_configured(
    settings: Settings,
    config: StreamingSagaConfig | None = None,
    *,
    embedder: Embedder | None = None,
    observers: Sequence[EventObserver] = (),
    participants: Sequence[AppendParticipant[Any]] = (),
) -> Ledger:
    """Open the data folder that settings name; see `open_ledger` for the errors."""
    # Imported here, because importing the engines takes most of the time of a small command.
    from sagaledger.interface.bootstrap.opening import open_parts

    parts = open_parts(settings, config=config, embedder=embedder, participants=participants)
    ledger = Ledger(
        parts.services,
        parts.leases,
        parts.reserve,
        parts.projector,
        parts.config,
        parts.place,
        (*parts.observers, *observers),
    )
    try:
        for register in parts.registrars:
            _register(register, ledger)
    except BaseException as error:
        ledger.__exit__(type(error), error, error.__traceback__)
        raise
    return ledger


def _register(register: Callable[[Ledger], object], ledger: Ledger) -> None:
    try:
        register(ledger)
    except SagaledgerError:
        raise
    except (Exception, SystemExit) as error:
        name = f"{register.__module__}.{getattr(register, '__qualname__', type(register).__name__)}"
        cause = f"{type(error).__name__}: {describe(error)}"
        raise ConfigurationError(f"sagas: {name} cannot register its sagas: {cause}") from error
