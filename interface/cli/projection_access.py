"""Opens the read models alone for a command: the stores are not asked, nor their engines loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sagaledger.interface.bootstrap.read_models import open_read_models
from sagaledger.interface.cli.invocation import Invocation
from sagaledger.projections import Projector

__all__ = ["existing_projections"]


@contextmanager
def existing_projections(invocation: Invocation) -> Iterator[Projector]:
    """Open the log and the read models of a data folder that was made before, and no store.

    Raises:
        ConfigurationError: a setting cannot be used.
        DataFolderError: there is none, it cannot be used, or it was made with other stores.
        DatabaseCorruptError: a database file is damaged.
        ProjectionNewerError: a newer version has written the read models.
        StorageBackendError: the log or the read models cannot be opened.
    """
    with open_read_models(invocation.settings()) as projector:
        yield projector
