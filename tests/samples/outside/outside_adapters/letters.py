"""Vectors of how often each letter of the alphabet occurs."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from sagaledger.ports import AdapterContext, EmbedderIdentity, StoreUrl


class LetterEmbedder:
    @classmethod
    def open(cls, _url: StoreUrl, _context: AdapterContext) -> LetterEmbedder:
        return cls()

    @property
    def identity(self) -> EmbedderIdentity:
        return EmbedderIdentity("letters-v1", 26)

    def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        return [_vector(text.lower()) for text in texts]


def _vector(text: str) -> bytes:
    counts = [float(text.count(chr(ord("a") + number))) for number in range(26)]
    length = math.hypot(*counts) or 1.0
    return struct.pack("<26f", *(count / length for count in counts))
