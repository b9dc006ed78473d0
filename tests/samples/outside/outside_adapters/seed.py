"""Signs with the key that a seed in a file gives."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sagaledger.ports import AdapterContext, StoreUrl


class SeedSigner:
    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())

    @classmethod
    def open(cls, url: StoreUrl, context: AdapterContext) -> SeedSigner:
        return cls(url.path_in(context.data_folder).read_bytes())

    @property
    def key_id(self) -> str:
        return f"seed-{self.public_key.hex()[:8]}"

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def is_valid(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True
