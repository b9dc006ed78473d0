"""What is signed about a document, and the record it is kept in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.document.errors import SignatureInvalidError
from sagaledger.domain.document.manifest import Manifest, SignedManifest, signed_at_text
from sagaledger.domain.document.values import Classification

MANIFEST = Manifest(
    document_id="default-0011-2233",
    content_id="default:sha256:0011",
    saga_id="2233",
    source_name='ärger "7".pdf',
    size_bytes=1_000,
    sha256="0011",
    chunk_count=1,
    chunk_size_bytes=4_194_304,
    chunk_list_root="4455",
    classification=Classification.CONFIDENTIAL,
    signed_at="2024-02-29T12:00:00+00:00",
)
GOLDEN = (
    '{"chunk_count":1,"chunk_list_root":"4455","chunk_size_bytes":4194304,'
    '"classification":"confidential","content_id":"default:sha256:0011",'
    '"document_id":"default-0011-2233","format":"sagaledger manifest 1","saga_id":"2233",'
    '"sha256":"0011","signed_at":"2024-02-29T12:00:00+00:00","size_bytes":1000,'
    '"source_name":"ärger \\"7\\".pdf"}'
)
SIGNED = SignedManifest(MANIFEST.to_bytes(), b"signature", b"public key", "key 1")

# A file name may hold bytes that are no text; Python carries them as these lone surrogates.
not_text = st.integers(0xDC80, 0xDCFF).map(chr)
file_names = st.lists(st.characters(exclude_categories=["Cs"]) | not_text).map("".join)


def manifest_of(source_name: str) -> Manifest:
    fields = {name: getattr(MANIFEST, name) for name in Manifest.__slots__}
    return Manifest(**{**fields, "source_name": source_name})


def test_manifest_has_one_canonical_text_that_never_changes() -> None:
    assert MANIFEST.to_bytes() == GOLDEN.encode()


@given(file_names)
def test_record_of_any_source_name_is_read_back_as_it_was(source_name: str) -> None:
    signed = SignedManifest(manifest_of(source_name).to_bytes(), b"\x00\xff", b"\x01", "key")

    restored = SignedManifest.from_bytes("doc", signed.to_bytes())

    assert restored == signed
    assert restored.facts()["source_name"] == source_name


def test_record_names_its_algorithm_and_is_json() -> None:
    record = json.loads(SIGNED.to_bytes())

    assert record["algorithm"] == "Ed25519"
    assert record["signature"] == b"signature".hex()
    assert SIGNED.to_bytes() == json.dumps(record, indent=2, sort_keys=False).encode() + b"\n"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        SIGNED.to_bytes()[:-10],
        SIGNED.to_bytes().replace(b'"signature": "73', b'"signature": "zz'),
        SIGNED.to_bytes().replace(b'"key 1"', b"7"),
        b"[" * 100_000,
    ],
    ids=lambda record: repr(record[:12]),
)
def test_damaged_record_is_refused(damaged: bytes) -> None:
    with pytest.raises(SignatureInvalidError, match="record is damaged"):
        SignedManifest.from_bytes("doc", damaged)


@given(st.integers(0, len(SIGNED.to_bytes()) - 1), st.integers(1, 255))
def test_record_with_one_byte_changed_is_refused_or_read(position: int, flip: int) -> None:
    record = bytearray(SIGNED.to_bytes())
    record[position] ^= flip

    try:
        restored = SignedManifest.from_bytes("doc", bytes(record))
    except SignatureInvalidError:
        return
    assert all(isinstance(part, bytes) for part in (restored.manifest, restored.signature))
    assert isinstance(restored.key_id, str)


def test_moment_of_signing_is_told_in_utc() -> None:
    assert signed_at_text(1_709_208_000_999_999) == "2024-02-29T12:00:00+00:00"
