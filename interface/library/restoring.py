"""A document back into a file."""

from __future__ import annotations

import os
from pathlib import Path

from sagaledger.application.documents.reading import Documents
from sagaledger.domain.document.records import DocumentRecord

__all__ = ["restore_document"]


def restore_document(documents: Documents, document: DocumentRecord, output: Path) -> None:
    """Write a document's bytes to a file, and replace one of that name.

    The name appears once every byte is checked and on disk.

    Raises:
        OSError: the file cannot be written; nothing of it is left.
        IntegrityMismatchError: the chunks are not what was ingested; nothing is left.
        ChunkMissingError: a chunk is gone; nothing is left.
        StorageBackendError: the chunk store cannot be read; nothing is left.
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
