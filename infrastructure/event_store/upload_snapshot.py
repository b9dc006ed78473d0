"""An upload's state as bytes, which makes loading a long history fast. Never evidence."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zlib import crc32

from sagaledger.domain.upload.chunk_table import ChunkTable
from sagaledger.domain.upload.chunking import ChunkLayout
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.domain.upload.state import Upload, UploadStatus
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.infrastructure.event_store.codec import pack, unpack

__all__ = ["SNAPSHOT_TYPE", "packed_upload", "restored_upload", "state_of"]

SNAPSHOT_TYPE = "upload-snapshot/1"
_CHECKSUM_BYTES = 4


def packed_upload(upload: Upload) -> bytes:
    """The stored form: a CRC-32 of what follows, then the state as events have it."""
    packed = pack(state_of(upload))
    return _checksum(packed) + packed


def restored_upload(upload_id: UUID, version: int, type_name: str, stored: bytes) -> Upload | None:
    """The upload of a stored form, or None if this version cannot decode it.

    A snapshot can always be rebuilt from the events, so an unreadable one is not an error. A
    damaged one must not be taken for the upload's state: no check of the events would detect it.
    """
    state = memoryview(stored)
    checksum, packed = state[:_CHECKSUM_BYTES], state[_CHECKSUM_BYTES:]
    if type_name != SNAPSHOT_TYPE or checksum != _checksum(packed):
        return None
    try:
        return _restored(upload_id, version, unpack(packed))
    except (ValueError, TypeError):
        return None


def state_of(upload: Upload) -> list[Any]:
    """The upload as plain data."""
    failure = upload.integrity_failure
    return [
        upload.saga_id,
        upload.source,
        [
            upload.fingerprint.size_bytes,
            upload.fingerprint.modified_ns,
            upload.fingerprint.inode,
            upload.fingerprint.device,
        ],
        upload.layout.chunk_size_bytes,
        upload.key_prefix,
        upload.store,
        upload.compression,
        list(upload.chunks.to_parts()),
        upload.status.value,
        upload.attempt,
        upload.sha256,
        upload.chunk_list_root,
        failure and [failure.check, failure.expected, failure.actual, failure.detail],
        upload.deletion_failures,
    ]


def _restored(upload_id: UUID, version: int, state: Any) -> Upload:
    (saga_id, source, fingerprint, chunk_size, prefix, store, compression) = state[:7]
    (parts, status, attempt, sha256, root, failure, deletion_failures) = state[7:]
    count, encodings, sizes, digests = parts
    known = SourceFingerprint(*fingerprint)
    return Upload(
        id=upload_id,
        version=version,
        saga_id=saga_id,
        source=source,
        fingerprint=known,
        layout=ChunkLayout(known.size_bytes, chunk_size),
        key_prefix=prefix,
        store=store,
        compression=compression,
        chunks=ChunkTable.from_parts((count, encodings, sizes, digests)),
        status=UploadStatus(status),
        attempt=attempt,
        sha256=sha256,
        chunk_list_root=root,
        integrity_failure=IntegrityFailed(*failure) if failure else None,
        deletion_failures=dict(deletion_failures),
    )


def _checksum(packed: bytes | memoryview) -> bytes:
    return crc32(packed).to_bytes(_CHECKSUM_BYTES, "big")
