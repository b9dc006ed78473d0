"""Opens the ledger of a data folder with what is configured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.domain.ports.event_observer import AppendParticipant, EventObserver
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.library.ledger import Ledger

if TYPE_CHECKING:
    from sagaledger.domain.ports.embedder import Embedder
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
    """Open a data folder, made where it is new, with the stores that are configured.

    Args:
        data: the folder; `SAGALEDGER_DATA`, what the configuration file says, or
            `sagaledger-data` by default.
        config: how its sagas behave; what is configured by default.
        embedder: what makes the vectors, or its name; the one that the folder was made with by
            default, `hashing` for a new one.
        config_file: read instead of `sagaledger.toml` in the folder; `SAGALEDGER_CONFIG` by
            default.
        observers: are told of every event that is stored through this ledger, with positions,
            once it is durable; each on a thread of its own, so that none fails or delays an
            append. Those that are configured are told too.
        participants: take part in each transaction of the event store: one that raises fails the
            append as a whole. Those that are configured do so too.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: the folder cannot be used, or was made with other stores or another
            embedder.
        DatabaseCorruptError: a database file is damaged.
        StorageBackendError: a store cannot be opened.
        EmbedderUnavailableError: the embedder's extra is not installed.
    """
    # Imported here, for most programs configure nothing.
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
    # Imported here, for the engines take most of the time that a small command would.
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
        told = f"{type(error).__name__}: {describe(error)}"
        raise ConfigurationError(f"sagas: {name} cannot register its sagas: {told}") from error
