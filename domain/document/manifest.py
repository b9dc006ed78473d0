"""The manifest of a document: the facts about it in a canonical form for signing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sagaledger.domain.document.errors import SignatureInvalidError
from sagaledger.domain.document.values import Classification

__all__ = ["Manifest", "SignedManifest", "signed_at_text"]

_FORMAT = "sagaledger manifest 1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The signed facts about a document."""

    document_id: str
    content_id: str
    saga_id: str
    source_name: str
    size_bytes: int
    sha256: str
    chunk_count: int
    chunk_size_bytes: int
    chunk_list_root: str
    """Merkle root over the chunk digests, RFC 9162."""
    classification: Classification
    signed_at: str
    """UTC, ISO 8601."""

    def to_bytes(self) -> bytes:
        """The canonical form: JSON with sorted keys and without spaces, in UTF-8."""
        fields = {"format": _FORMAT, **asdict(self)}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            errors="surrogatepass"
        )


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest with its Ed25519 signature and the public key for checking it."""

    manifest: bytes
    signature: bytes
    public_key: bytes
    key_id: str

    def to_bytes(self) -> bytes:
        """A JSON record that people can read and other programs can check."""
        record = {
            "manifest": self.manifest.decode(errors="surrogatepass"),
            "signature": self.signature.hex(),
            "public_key": self.public_key.hex(),
            "key_id": self.key_id,
            "algorithm": "Ed25519",
        }
        return json.dumps(record, indent=2).encode() + b"\n"

    @classmethod
    def from_bytes(cls, document_id: str, record: bytes) -> SignedManifest:
        """Parse a record.

        Raises:
            SignatureInvalidError: the record is malformed.
        """
        try:
            fields = json.loads(record)
            key_id = fields["key_id"]
            if not isinstance(key_id, str):
                raise TypeError("the key id is not a text")
            return cls(
                fields["manifest"].encode(errors="surrogatepass"),
                bytes.fromhex(fields["signature"]),
                bytes.fromhex(fields["public_key"]),
                key_id,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SignatureInvalidError(document_id, f"record is damaged: {error}") from error

    def facts(self) -> dict[str, str | int]:
        """The signed facts as plain data."""
        facts: dict[str, str | int] = json.loads(self.manifest)
        return facts


def signed_at_text(now_us: int) -> str:
    """A time in the format of manifests."""
    return datetime.fromtimestamp(now_us / 1_000_000, UTC).isoformat(timespec="seconds")
