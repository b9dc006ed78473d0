"""Vectors from hashed words: no model, no training, the same on every machine."""

from __future__ import annotations

import math
import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import mmh3
from sagaledger.domain.document.values import EmbedderIdentity

__all__ = ["HashingEmbedder"]


class HashingEmbedder:
    """Signed feature hashing of words and word pairs (Weinberger et al., 2009).

    Texts that share words have similar vectors; case and Unicode compatibility forms are ignored.
    A term that occurs n times has the weight 1 + log n.
    """

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 1:
            raise ValueError("the dimension must be at least 1")
        self._identity = EmbedderIdentity("hashing-mmh3-v1", dimension)
        self._format = struct.Struct(f"<{dimension}f")

    @property
    def identity(self) -> EmbedderIdentity:
        """The name and dimension that are stored with the vectors."""
        return self._identity

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """One vector per text: unit length, or zero for a text without words.

        Vectors are little-endian 32-bit floats.
        """
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> bytes:
        dimension = self._identity.dimension
        values = [0.0] * dimension
        for term, count in Counter(_terms(text)).items():
            weight = 1.0 + math.log(count)
            hashed = mmh3.hash(term)
            values[abs(hashed) % dimension] += weight if hashed >= 0 else -weight
        length = math.hypot(*values)
        if length:
            values = [value / length for value in values]
        return self._format.pack(*values)


def _terms(text: str) -> list[str]:
    # A lone surrogate, which a file name or a terminal may contain, cannot be hashed.
    whole = text.encode("utf-8", errors="replace").decode("utf-8")
    words = _WORD.findall(unicodedata.normalize("NFKC", whole).casefold())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


# Chinese and Japanese have no spaces between words, so each character counts as a word.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+")
