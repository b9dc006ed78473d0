"""Finds damaged chunks of a document."""

from __future__ import annotations

from uuid import UUID

from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.upload.chunking import chunk_key

__all__ = ["chunk_damage"]


def chunk_damage(services: IngestionServices, document: DocumentRecord) -> list[str]:
    """A line for each chunk that is missing, unexpected, or of another size than was written.

    Raises:
        StorageBackendError: The log or the chunk store cannot be read.
    """
    upload = services.upload_repository.find(UUID(document.upload_id))
    if upload is None:
        return []
    stored = {c.key: c.stored_bytes for c in services.chunks.list(upload.key_prefix)}
    damage = []
    for record in upload.chunks:
        key = chunk_key(upload.key_prefix, record.index)
        size = stored.pop(key, None)
        if size is None:
            damage.append(f"chunk {record.index} is missing: {key}")
        elif size != record.stored_bytes:
            difference = f"{size:,} bytes where {record.stored_bytes:,} were written"
            damage.append(f"chunk {record.index} has {difference}: {key}")
    return damage + [f"not a chunk of this document: {key}" for key in sorted(stored)]
