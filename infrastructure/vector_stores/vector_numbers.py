"""The numbers of a stored vector."""

from __future__ import annotations

import math
from array import array

from sagaledger.domain.document.errors import VectorInvalidError
from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["numbers_of"]


def numbers_of(vector: bytes, embedder: EmbedderIdentity) -> array[float]:
    """The numbers of a vector, once they are known to be of this embedder's kind.

    Raises:
        VectorInvalidError: there are more or fewer than its dimension, or one is none.
    """
    if len(vector) != 4 * embedder.dimension:
        raise VectorInvalidError(
            f"it has {len(vector)} bytes, not 4 for each of {embedder.dimension}"
        )
    numbers = array("f", vector)
    # Nothing can be near to a vector with such a number. The sum of any others is finite, and is
    # found much faster than each is looked at.
    if not math.isfinite(sum(numbers)):
        raise VectorInvalidError("one of its numbers is infinite or not a number")
    return numbers
