"""How a file is cut, and the digest over its chunks."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.upload.chunking import (
    MAX_CHUNKS,
    MIN_CHUNK_BYTES,
    ChunkLayout,
    automatic_chunk_size,
    chunk_key,
    chunk_list_root,
)

MIB = 1024**2
GIB = 1024**3
TIB = 1024**4

file_sizes = st.integers(0, 8 * TIB) | st.integers(0, 200_000).map(lambda mib: mib * MIB)

# The eight leaves of the certificate transparency test vectors, and the root over the first n.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = tree_hash(leaves[:split]), tree_hash(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_one_gib_in_chunks_of_five_mib_has_205_chunks() -> None:
    layout = ChunkLayout(GIB, 5 * MIB)

    assert layout.count == 205
    assert layout.length(203) == 5 * MIB
    assert layout.length(204) == 4 * MIB


@pytest.mark.parametrize(
    ("size", "chunk_size"),
    [
        (0, 4 * MIB),
        (1, 4 * MIB),
        (10_000 * 4 * MIB, 4 * MIB),
        (10_000 * 4 * MIB + 1, 5 * MIB),
        (TIB, 105 * MIB),
    ],
)
def test_automatic_chunk_size_is_known_at_the_edges(size: int, chunk_size: int) -> None:
    found = automatic_chunk_size(size)

    assert found == chunk_size
    assert isinstance(found, int)


@given(file_sizes)
def test_automatic_chunk_size_is_the_smallest_that_is_allowed(size: int) -> None:
    chunk_size = automatic_chunk_size(size)

    assert chunk_size >= MIN_CHUNK_BYTES
    assert chunk_size % MIB == 0
    assert ChunkLayout(size, chunk_size).count <= MAX_CHUNKS
    if chunk_size > MIN_CHUNK_BYTES:
        assert ChunkLayout(size, chunk_size - MIB).count > MAX_CHUNKS


@given(st.integers(0, 5000), st.integers(1, 700))
def test_any_layout_covers_the_file_without_gap_or_overlap(size: int, chunk_size: int) -> None:
    layout = ChunkLayout(size, chunk_size)

    end = 0
    for index in range(layout.count):
        assert layout.offset(index) == end
        assert 0 < layout.length(index) <= chunk_size
        end += layout.length(index)
    assert end == size


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_chunk_outside_the_layout_has_no_length(index: int) -> None:
    with pytest.raises(IndexError, match="of 3"):
        ChunkLayout(25, 10).length(index)


@pytest.mark.parametrize(("size", "chunk_size"), [(-1, 10), (10, 0), (10, -5)])
def test_impossible_layout_is_refused(size: int, chunk_size: int) -> None:
    with pytest.raises(ValueError, match="layout"):
        ChunkLayout(size, chunk_size)


@given(st.lists(st.integers(0, 99_999_999), unique=True))
def test_keys_sort_like_their_indexes_under_their_prefix(indexes: list[int]) -> None:
    keys = [chunk_key("upload/", index) for index in sorted(indexes)]

    assert keys == sorted(keys)
    assert all(key.startswith("upload/") for key in keys)


@pytest.mark.parametrize("size", range(9))
def test_root_over_certificate_transparency_leaves_is_the_published_one(size: int) -> None:
    assert chunk_list_root(CT_LEAVES[:size]).hex() == CT_ROOTS[size]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_any_root_equals_the_recursive_definition(digests: list[bytes]) -> None:
    assert chunk_list_root(digests) == tree_hash(digests)
