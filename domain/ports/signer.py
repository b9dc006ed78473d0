"""The port of signers."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Signer"]


class Signer(Protocol):
    """Signs manifests with this installation's key."""

    @property
    def key_id(self) -> str:
        """A fingerprint of the public key."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, stored beside each signature."""

    def sign(self, message: bytes) -> bytes:
        """The signature over a message."""

    def is_valid(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Whether the private key of this public key made the signature over the message."""
