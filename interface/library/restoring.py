"""Restores a document into a file."""

from __future__ import annotations

import os
from pathlib import Path

from sagaledger.application.documents.reading import Documents
from sagaledger.domain.document.records import DocumentRecord

__all__ = ["restore_document"]


def restore_document(documents: Documents, document: DocumentRecord, output: Path) -> None:
    """Write a document's bytes to a file; an existing file is replaced.

    The file appears under its name once every byte is checked and on disk.

    Raises:
        OSError: The file cannot be written; no partial file remains.
        IntegrityMismatchError: The chunks differ from the ingested file; no partial file remains.
        ChunkMissingError: A chunk is missing; no partial file remains.
        StorageBackendError: The chunk store cannot be read; no partial file remains.
    """
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with partial.open("xb") as file:
            for block in documents.content(document):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
