"""Ids, statuses and fingerprints."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st
from sagaledger.domain.document.values import content_id_of, document_id_of
from sagaledger.domain.saga.values import SagaStatus
from sagaledger.domain.upload.values import SourceFingerprint, upload_id_of, upload_prefix_of

sagas = st.uuids(version=4)
digests = st.binary(min_size=32, max_size=32)
namespaces = st.from_regex(r"[A-Za-z0-9_]+", fullmatch=True)


@given(namespaces, digests, sagas, sagas)
def test_same_content_of_two_sagas_shares_the_prefix_and_nothing_more(
    namespace: str, sha256: bytes, first: UUID, second: UUID
) -> None:
    assume(first.hex[:12] != second.hex[:12])
    ids = [document_id_of(namespace, sha256, saga) for saga in (first, second)]

    assert ids[0] != ids[1]
    assert ids[0].rpartition("-")[0] == ids[1].rpartition("-")[0]
    assert ids[0].startswith(f"{namespace}-{sha256.hex()[:24]}-")


@given(namespaces, digests, digests, sagas)
def test_different_content_of_one_saga_has_different_ids(
    namespace: str, sha256: bytes, other: bytes, saga: UUID
) -> None:
    assume(sha256[:12] != other[:12])

    assert document_id_of(namespace, sha256, saga) != document_id_of(namespace, other, saga)
    assert content_id_of(namespace, sha256) != content_id_of(namespace, other)


@given(namespaces, namespaces, digests, sagas)
def test_same_content_in_two_namespaces_has_different_ids(
    namespace: str, other: str, sha256: bytes, saga: UUID
) -> None:
    assume(namespace != other)

    assert document_id_of(namespace, sha256, saga) != document_id_of(other, sha256, saga)
    assert content_id_of(namespace, sha256) != content_id_of(other, sha256)


def test_document_id_names_namespace_content_and_saga() -> None:
    saga = UUID("0123456789abcdef0123456789abcdef")

    assert document_id_of("default", b"\x01" * 32, saga) == f"default-{'01' * 12}-0123456789ab"


def test_content_id_names_namespace_and_algorithm() -> None:
    assert content_id_of("default", b"\x01" * 32) == "default:sha256:" + "01" * 32


def test_upload_of_a_saga_never_changes() -> None:
    # Recovery derives these after an upgrade too: a change here loses every open upload.
    saga_id = UUID("00112233-4455-6677-8899-aabbccddeeff")

    assert upload_id_of(saga_id) == UUID("156a66de-b199-5d12-b39a-d5ed22668528")
    assert upload_prefix_of(saga_id) == "00112233445566778899aabbccddeeff/"


@given(sagas, sagas)
def test_no_prefix_of_two_uploads_contains_the_other(first: UUID, second: UUID) -> None:
    assume(first != second)
    prefixes = [upload_prefix_of(upload_id_of(saga)) for saga in (first, second)]

    assert not prefixes[0].startswith(prefixes[1])
    assert not prefixes[1].startswith(prefixes[0])


def test_fingerprints_differ_in_the_fields_that_changed() -> None:
    fingerprint = SourceFingerprint(25, 1_000, 7, 8)

    assert fingerprint.difference(fingerprint) == ""
    assert fingerprint.difference(replace(fingerprint, inode=9)) == "inode 7→9"
    assert fingerprint.difference(replace(fingerprint, size_bytes=24)) == "size_bytes 25→24"
    assert (
        fingerprint.difference(SourceFingerprint(26, 2_000, 9, 10))
        == "size_bytes 25→26, modified_ns 1000→2000, inode 7→9, device 8→10"
    )


def test_statuses_with_work_left_are_open() -> None:
    assert [status.value for status in SagaStatus if status.is_open] == [
        "pending",
        "running",
        "compensating",
    ]
