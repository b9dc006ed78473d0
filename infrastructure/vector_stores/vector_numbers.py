"""Decoding and validation of vectors."""

from __future__ import annotations

import math
from array import array

from sagaledger.domain.document.errors import VectorInvalidError
from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["numbers_of"]


def numbers_of(vector: bytes, embedder: EmbedderIdentity) -> array[float]:
    """Decode a vector, after checking that it fits the embedder.

    Raises:
        VectorInvalidError: the vector does not have the embedder's dimension, or one of its
            numbers is infinite or not a number.
    """
    if len(vector) != 4 * embedder.dimension:
        raise VectorInvalidError(
            f"it has {len(vector)} bytes, not 4 for each of {embedder.dimension}"
        )
    numbers = array("f", vector)
    # The sum is finite exactly if every number is, and summing is much faster than checking each.
    if not math.isfinite(sum(numbers)):
        raise VectorInvalidError("one of its numbers is infinite or not a number")
    return numbers
