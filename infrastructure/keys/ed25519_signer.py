"""Ed25519 signatures (RFC 8032) with a key that is generated on first use."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sagaledger.infrastructure.disk import make_folder, sync_folder
from sagaledger.infrastructure.errors import DataFolderError

__all__ = ["Ed25519Signer"]

_KEY_FILE = "signing.key"


class Ed25519Signer:
    """Signs with the private key in a folder."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def open(cls, folder: Path) -> Ed25519Signer:
        """Use the folder's key; generate it with mode 0600 if it is missing.

        Raises:
            DataFolderError: the key cannot be read or written, is damaged, or others may read it.
        """
        path = folder / _KEY_FILE
        try:
            make_folder(folder)
            if not path.exists():
                _make_key(path)
            if path.stat().st_mode & 0o077:
                raise DataFolderError(str(path), "others may read the signing key; chmod 600 it")
            key = load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise DataFolderError(str(path), f"cannot be used: {error.strerror}") from error
        except ValueError as error:
            raise DataFolderError(str(path), f"the signing key is damaged: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise DataFolderError(str(path), "the signing key is not an Ed25519 key")
        return cls(key)

    @property
    def key_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
        return hashlib.sha256(self._public_key).hexdigest()[:16]

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over a message, 64 bytes."""
        return self._key.sign(message)

    def is_valid(self, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Whether the private key of this public key made the signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _make_key(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    partial = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            # Another process was faster: its key counts.
            return
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
