"""Opens only the read models for a command, without the stores and their engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sagaledger.interface.bootstrap.read_models import open_read_models
from sagaledger.interface.cli.invocation import Invocation
from sagaledger.projections import Projector

__all__ = ["existing_projections"]


@contextmanager
def existing_projections(invocation: Invocation) -> Iterator[Projector]:
    """Open the log and the read models of an existing data folder, and no store.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataFolderError: The folder does not exist, cannot be used, or was made with other stores.
        DatabaseCorruptError: A database file is damaged.
        ProjectionNewerError: A newer version has written the read models.
        StorageBackendError: The log or the read models cannot be opened.
    """
    with open_read_models(invocation.settings()) as projector:
        yield projector
