"""Histories of version 1: what their steps say of documents, as the facts that came later.

Version 1 of an ingestion or deletion recorded no facts of documents. A saga is of version 1 if it
was begun with the nine steps, or with the steps of a deletion, and without a list of stores in its
parameters; a definition of a user's own that held the nine counts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sagaledger.domain.document.events import DocumentIndexed, DocumentSecured
from sagaledger.domain.saga.events import SagaStarted, StepCompleted
from sagaledger.domain.values import Parameters, Value

__all__ = ["document_deleted_by", "indexed_by", "makes_document", "secured_by"]

_NINE = (
    *("validate", "start", "upload", "verify", "secure", "vector", "graph", "relational"),
    "finalize",
)
_DELETION = ("delete-document", 1)
_STORES = "downstream_stores"
_DIGEST_DIGITS = 64
_HEX = frozenset("0123456789abcdef")


def makes_document(started: SagaStarted) -> bool:
    """Whether the saga makes a document under the rules of version 1."""
    return _STORES not in started.parameters and _holds(started.steps, _NINE)


def document_deleted_by(started: SagaStarted) -> str:
    """The saga whose document this one deletes under the rules of version 1; empty for none."""
    if (started.definition, started.definition_version) != _DELETION:
        return ""
    return str(started.parameters.get("owner_saga_id", ""))


def secured_by(saga_id: UUID, completed: StepCompleted) -> DocumentSecured | None:
    """What a step of a saga that makes a document says of its identity."""
    if completed.step != "secure":
        return None
    output = completed.output
    content_id = _text(output, "content_id")
    return DocumentSecured(
        saga_id=saga_id.hex,
        document_id=_text(output, "document_id"),
        namespace=content_id.partition(":")[0],
        content_id=content_id,
        sha256=_digest(content_id.rpartition(":")[2]),
        classification=_text(output, "classification"),
        key_id=_text(output, "key_id"),
    )


def indexed_by(saga_id: UUID, completed: StepCompleted) -> DocumentIndexed | None:
    """What a step of a saga that makes a document says of its text."""
    if completed.step != "vector":
        return None
    output = completed.output
    passages: Value = output.get("passages", 0)
    return DocumentIndexed(
        saga_id=saga_id.hex,
        media_type=_text(output, "media_type"),
        note=_text(output, "text_note"),
        passages=passages if isinstance(passages, int) else 0,
        embedder=_text(output, "embedder"),
    )


def _holds(steps: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted steps are there in their order, whatever is between them."""
    left = iter(steps)
    return all(name in left for name in wanted)


def _digest(digits: str) -> bytes:
    # A user's step may have the name of ours, and return anything.
    return bytes.fromhex(digits) if len(digits) == _DIGEST_DIGITS and set(digits) <= _HEX else b""


def _text(output: Parameters, name: str) -> str:
    return str(output.get(name, ""))
