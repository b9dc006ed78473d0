"""What each golden file of a stored event says, by the file's name.

An entry is never changed once its file is there: a log out in the world holds such bytes.
"""

from __future__ import annotations

from sagaledger.domain.document.events import (
    DocumentCommitted,
    DocumentDeleted,
    DocumentHidden,
    DocumentIndexed,
    DocumentSecured,
    DocumentWithdrawn,
)
from sagaledger.domain.history.envelope import Event
from sagaledger.domain.history.facts import FactRecorded
from sagaledger.domain.housekeeping.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertRulesSet,
    OrphanAdopted,
    OrphanFound,
    OrphanRemovalFailed,
    OrphanRemoved,
    OrphanRetryRequested,
    OrphanWaived,
)
from sagaledger.domain.saga.events import (
    CommitDecided,
    CompensationAttempted,
    RetryScheduled,
    RollbackRequired,
    SagaCancelled,
    SagaClaimed,
    SagaCompensated,
    SagaCompensationFailed,
    SagaCompleted,
    SagaParked,
    SagaPaused,
    SagaResumed,
    SagaStarted,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.events import (
    ChunkDeletionFailed,
    ChunksDeleted,
    ChunkWritten,
    IntegrityFailed,
    IntegrityVerified,
    UploadCompleted,
    UploadDiscarded,
    UploadInterrupted,
    UploadResumed,
    UploadStarted,
)
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.domain.values import Value

__all__ = ["EVENT_EXAMPLES"]

_SHA256 = bytes(range(32))
_ROOT = bytes(range(224, 256))
_PREFIX = "ffeeddccbbaa99887766554433221100/"
_SAGA = "00112233445566778899aabbccddeeff"
_DELETION = "ffeeddccbbaa99887766554433221100"
_PLAIN_DATA: dict[str, Value] = {
    "source": "/data/ärger.pdf",
    "source_bytes": b"/data/\xe4rger.pdf",
    "compressed": False,
    "chunk_size_bytes": 4_194_304,
    "upload_retry": [3, 5.0, 2.0, 300.0, 0.1],
    "nested": {"nothing": None, "negative": -1, "largest": 2**64 - 1},
}

EVENT_EXAMPLES: dict[str, Event] = {
    "fact-recorded-1": FactRecorded("room-booked", _PLAIN_DATA),
    "upload-started-1": UploadStarted(
        saga_id="00112233445566778899aabbccddeeff",
        source="/data/ärger.pdf",
        fingerprint=SourceFingerprint(314_572_801, 1_717_243_200_123_456_789, 2_238_693, 65_024),
        chunk_size_bytes=4_194_304,
        chunk_count=76,
        key_prefix=_PREFIX,
        store="chunks",
        compression="zstd",
    ),
    "chunk-written-1": ChunkWritten(75, _SHA256, 1, "raw", 2),
    "upload-interrupted-1": UploadInterrupted(1, "StorageBackendError", "chunks store: …", 64),
    "upload-resumed-1": UploadResumed(2, 62, (3, 200, 70_000)),
    "upload-completed-1": UploadCompleted(76, 314_572_801, _SHA256, _ROOT),
    "integrity-verified-1": IntegrityVerified(
        76, 314_572_801, _SHA256, _ROOT, "disk, page cache dropped"
    ),
    "integrity-failed-1": IntegrityFailed("chunk", "00", "ff", "chunk 3; 1 of 76 chunks differ"),
    "chunks-deleted-1": ChunksDeleted(76, 314_572_801),
    "chunk-deletion-failed-1": ChunkDeletionFailed(f"{_PREFIX}00000007", "Permission denied"),
    "upload-discarded-1": UploadDiscarded("rolled back"),
    "document-secured-1": DocumentSecured(
        saga_id=_SAGA,
        document_id=f"default-{_SHA256.hex()[:24]}-{_SAGA[:12]}",
        namespace="default",
        content_id=f"default:sha256:{_SHA256.hex()}",
        sha256=_SHA256,
        classification="internal",
        key_id="0123456789abcdef",
    ),
    "document-indexed-1": DocumentIndexed(
        _SAGA, "application/pdf", "damaged PDF: page 3", 300, "hashing-mmh3-v1"
    ),
    "document-committed-1": DocumentCommitted(_SAGA),
    "document-hidden-1": DocumentHidden(_SAGA, _DELETION),
    "document-deleted-1": DocumentDeleted(_SAGA, _DELETION),
    "document-withdrawn-1": DocumentWithdrawn(_SAGA),
    "saga-started-1": SagaStarted(
        "streaming-upload", 1, ("validate", "start", "upload"), _PLAIN_DATA, 3600.0
    ),
    "saga-started-1-compressed": SagaStarted(
        "streaming-upload", 1, ("validate",), {"source": "/data" + 64 * "/deeper" + "/a.pdf"}, 0.0
    ),
    "saga-claimed-1": SagaClaimed("host:4711:a1b2c3d4", 2, 30.0),
    "step-started-1": StepStarted("upload", 1),
    "step-completed-1": StepCompleted("upload", 2, _PLAIN_DATA, 12.5),
    "step-failed-1": StepFailed(
        "upload", 1, "storage_unavailable", "timed out", "StorageBackendError", 0.25
    ),
    "retry-scheduled-1": RetryScheduled("upload", 2, 5.25, 1_717_243_205_373_456),
    "rollback-required-1": RollbackRequired("max_retries_exceeded", "timed out", "upload"),
    "compensation-attempted-1": CompensationAttempted(
        "upload",
        1,
        75,
        (Residue("chunks", f"{_PREFIX}00000007", 1, "4194304 bytes"), Residue("vector", "d", 0)),
        "1 of 76 chunks are left",
        True,
        0.125,
    ),
    "compensation-attempted-1-compressed": CompensationAttempted(
        "upload",
        2,
        0,
        tuple(Residue("chunks", f"{_PREFIX}{index:08d}") for index in range(20)),
        "",
        False,
        1.0,
    ),
    "commit-decided-1": CommitDecided("finalize"),
    "saga-completed-1": SagaCompleted(),
    "saga-compensated-1": SagaCompensated(("notify",)),
    "saga-compensation-failed-1": SagaCompensationFailed(("upload", "start")),
    "saga-cancelled-1": SagaCancelled("ann@host", "wrong file"),
    "saga-paused-1": SagaPaused("ann@host"),
    "saga-resumed-1": SagaResumed("ann@host"),
    "saga-set-aside-1": SagaParked(7, "no recovery could finish the rollback"),
    "orphan-found-1": OrphanFound(
        "00112233445566778899aabbccddeeff", "vector", "default-0011-2233", 300, "late write"
    ),
    "orphan-removed-1": OrphanRemoved(
        "00112233445566778899aabbccddeeff", "vector", "default-0011-2233", 300
    ),
    "orphan-removal-failed-1": OrphanRemovalFailed(
        "00112233445566778899aabbccddeeff", "vector", "default-0011-2233", "disk I/O error"
    ),
    "orphan-retry-requested-1": OrphanRetryRequested(
        "00112233445566778899aabbccddeeff", "vector", "default-0011-2233", "ann@host", "repaired"
    ),
    "orphan-adopted-1": OrphanAdopted("", "chunks", f"{_PREFIX}", "ann@host", "a restored copy"),
    "orphan-waived-1": OrphanWaived(
        "00112233445566778899aabbccddeeff",
        "vector",
        "default-0011-2233",
        "ann@host",
        "disk is gone",
    ),
    "alert-rules-set-1": AlertRulesSet(
        {"saga_stuck": {"severity": "warning", "older_than_s": 3600.0}}, "ann@host"
    ),
    "alert-raised-1": AlertRaised(
        "saga_stuck:00112233445566778899aabbccddeeff",
        "saga_stuck",
        "warning",
        "00112233445566778899aabbccddeeff",
        "step upload: no event for 2 h",
    ),
    "alert-resolved-1": AlertResolved(
        "saga_stuck:00112233445566778899aabbccddeeff", "it has ended"
    ),
    "alert-acknowledged-1": AlertAcknowledged("orphans:0011", "ann@host", "seen"),
}
