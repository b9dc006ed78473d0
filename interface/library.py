"""The one-call face of the library."""

from __future__ import annotations

from pathlib import Path

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.ports import ProgressCallback
from sagaledger.interface.ledger import IngestResult, open_ledger

__all__ = ["create_document_streaming"]


def create_document_streaming(
    path: str | Path,
    *,
    data: str | Path = "sagaledger-data",
    config: StreamingSagaConfig | None = None,
    progress: ProgressCallback | None = None,
) -> IngestResult:
    """Bring one file in as a whole, or not at all, after recovering what an earlier run left open.

    Args:
        path: the file; it is only read.
        data: the data folder, made where it is new.
        config: limits, delays, classification; the defaults suit most files.
        progress: called on a thread of its own; whatever it does changes nothing.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceUnreadableError: it cannot be read as a regular file.
        DataFolderError: the data folder cannot be used.
        StorageBackendError: the event log cannot be written; a recovery goes on from there.
    """
    with open_ledger(data, config) as ledger:
        ledger.recover()
        return ledger.ingest(path, progress=progress)
