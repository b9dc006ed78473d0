"""Finds sagas by an abbreviated id."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sagaledger.domain.document.saga_summary import SagaSummary
from sagaledger.domain.errors import AmbiguousIdError, NotFoundError

if TYPE_CHECKING:
    from sagaledger.domain.ports.saga_directory import SagaDirectory

__all__ = ["saga_id_of", "sagas_about"]

_FULL_ID = 32


def saga_id_of(directory: SagaDirectory, given: str) -> UUID:
    """The saga whose id is, or starts with, the given text.

    Raises:
        NotFoundError: No saga matches.
        AmbiguousIdError: Several sagas match.
    """
    digits = given.lower().replace("-", "")
    may_be_one = 0 < len(digits) <= _FULL_ID and digits.isascii()
    found = directory.by_id_prefix(digits) if may_be_one else ()
    if not found:
        raise NotFoundError("saga", given)
    if len(found) > 1:
        raise AmbiguousIdError(given, [summary.saga_id.hex for summary in found])
    return found[0].saga_id


def sagas_about(directory: SagaDirectory, given: str) -> list[SagaSummary]:
    """Every saga with this id, or about the document with this id, oldest first.

    Raises:
        NotFoundError: No saga and no document matches.
        AmbiguousIdError: Several sagas or documents match.
    """
    about = list(directory.by_document_prefix(given)) if given and given.isascii() else []
    documents = sorted({summary.document_id for summary in about})
    if len(documents) > 1:
        raise AmbiguousIdError(given, documents)
    if about:
        return about
    try:
        saga_id = saga_id_of(directory, given)
    except NotFoundError as error:
        raise NotFoundError("saga or document", given) from error
    return list(directory.by_id_prefix(saga_id.hex))
