"""The table of durable chunks, held against a plain dict."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagaledger.domain.upload.chunk_table import ChunkRecord, ChunkTable

COUNT = 12

records = st.builds(
    ChunkRecord,
    index=st.integers(0, COUNT - 1),
    sha256=st.binary(min_size=32, max_size=32),
    stored_bytes=st.integers(0, 2**64 - 1),
    encoding=st.sampled_from(["raw", "zstd"]),
)
changes = st.lists(records | st.integers(0, COUNT - 1), max_size=40)
"""A record is noted; a bare index is forgotten."""


def digest(index: int) -> bytes:
    return hashlib.sha256(bytes([index])).digest()


def table_of(*entries: ChunkRecord, count: int = COUNT) -> ChunkTable:
    table = ChunkTable(count)
    for entry in entries:
        table.record(entry.index, entry.sha256, entry.stored_bytes, entry.encoding)
    return table


def columns_of(
    chunks: list[ChunkRecord],
) -> tuple[list[int], list[bytes], list[int], list[str]]:
    return (
        [r.index for r in chunks],
        [r.sha256 for r in chunks],
        [r.stored_bytes for r in chunks],
        [r.encoding for r in chunks],
    )


@given(changes)
def test_any_changes_leave_what_a_dict_would_hold(changes: list[ChunkRecord | int]) -> None:
    table, model = ChunkTable(COUNT), dict[int, ChunkRecord]()

    for change in changes:
        if isinstance(change, ChunkRecord):
            table.record(change.index, change.sha256, change.stored_bytes, change.encoding)
            model[change.index] = change
        else:
            table.forget(change)
            model.pop(change, None)

    expected = [model[index] for index in sorted(model)]
    assert list(table) == expected
    assert [index in table for index in range(COUNT)] == [i in model for i in range(COUNT)]
    assert table.known == len(model)
    assert table.missing() == [index for index in range(COUNT) if index not in model]
    assert table.digests() == [record.sha256 for record in expected]
    assert table.stored_bytes == sum(record.stored_bytes for record in expected)
    assert table.is_complete == (len(model) == COUNT)
    assert table == table_of(*expected)
    assert ChunkTable.from_parts(table.to_parts()) == table
    assert ChunkTable.from_parts(table.to_parts()).known == table.known


def test_table_of_an_empty_file_is_complete() -> None:
    table = ChunkTable(0)

    assert table.is_complete
    assert table.missing() == []
    assert ChunkTable.from_parts(table.to_parts()) == table


def test_restored_table_is_apart_from_the_one_it_came_from() -> None:
    table = table_of(ChunkRecord(0, digest(0), 5, "raw"))
    restored = ChunkTable.from_parts(table.to_parts())

    restored.forget(0)

    assert 0 in table


@pytest.mark.parametrize(
    ("index", "sha256", "stored_bytes", "encoding"),
    [
        (-1, digest(0), 5, "raw"),
        (3, digest(0), 5, "raw"),
        (0, b"short", 5, "raw"),
        (0, digest(0) + b"x", 5, "raw"),
        (4, digest(0), 5, "raw"),
        (0, digest(0), -1, "raw"),
        (0, digest(0), 2**64, "raw"),
        (0, digest(0), 5, "gzip"),
    ],
    ids=[
        "index below",
        "index above",
        "short digest",
        "long digest",
        "far above",
        "size below",
        "size above",
        "encoding",
    ],
)
def test_chunk_that_cannot_belong_is_refused_and_leaves_no_trace(
    index: int, sha256: bytes, stored_bytes: int, encoding: str
) -> None:
    table = ChunkTable(3)

    with pytest.raises(ValueError, match=r"^chunk (index -?\d is outside 0\.\.2$|0 )"):
        table.record(index, sha256, stored_bytes, encoding)

    assert table == ChunkTable(3)
    assert table.known == 0


@given(changes, st.lists(records, min_size=1, max_size=20), st.integers(0, COUNT - 1))
def test_chunks_noted_at_once_are_as_if_noted_one_by_one(
    before: list[ChunkRecord | int], noted: list[ChunkRecord], first: int
) -> None:
    side_by_side = [replace(r, index=first + n) for n, r in enumerate(noted[: COUNT - first])]
    for chosen in (noted, side_by_side):
        at_once, one_by_one = ChunkTable(COUNT), ChunkTable(COUNT)
        for table in (at_once, one_by_one):
            for change in before:
                if isinstance(change, ChunkRecord):
                    table.record(change.index, change.sha256, change.stored_bytes, change.encoding)
                else:
                    table.forget(change)

        at_once.record_all(*columns_of(chosen))
        for r in chosen:
            one_by_one.record(r.index, r.sha256, r.stored_bytes, r.encoding)

        assert at_once == one_by_one
        assert at_once.known == one_by_one.known


@pytest.mark.parametrize("bad_at", [0, 1, 2])
@pytest.mark.parametrize(
    "wrong",
    [
        {"index": -1},
        {"index": 3},
        {"sha256": b"short"},
        {"sha256": digest(0) + b"x"},
        {"stored_bytes": -1},
        {"stored_bytes": 2**64},
        {"encoding": "gzip"},
    ],
    ids=repr,
)
def test_chunks_of_which_one_cannot_belong_are_refused(wrong: dict[str, Any], bad_at: int) -> None:
    good = [ChunkRecord(index, digest(index), 5, "raw") for index in range(3)]
    good[bad_at] = replace(good[bad_at], **wrong)

    with pytest.raises(ValueError, match=r"chunk|digest|stored size"):
        ChunkTable(3).record_all(*columns_of(good))


def test_chunks_side_by_side_beyond_the_end_are_refused_and_leave_no_trace() -> None:
    beyond = [ChunkRecord(index, digest(index), 5, "raw") for index in (1, 2, 3)]
    before = [replace(record, index=record.index - 2) for record in beyond]
    table = ChunkTable(3)

    for wrong in (beyond, before):
        with pytest.raises(ValueError, match="outside"):
            table.record_all(*columns_of(wrong))

    assert table == ChunkTable(3)


def test_largest_size_is_held_exactly() -> None:
    table = table_of(ChunkRecord(2, digest(2), 2**64 - 1, "zstd"), count=3)

    assert table[2].stored_bytes == 2**64 - 1


def test_table_holds_no_chunk_beyond_its_ends_and_equals_nothing_but_a_table() -> None:
    table = table_of(*(ChunkRecord(i, digest(i), 5, "raw") for i in range(3)), count=3)

    assert [index in table for index in (-1, 0, 2, 3, 4)] == [False, True, True, False, False]
    assert table != table.to_parts()
    assert table != ChunkTable(3)
    assert ChunkTable(3) != table


@pytest.mark.parametrize("index", [-1, 3])
def test_chunk_outside_the_table_cannot_be_forgotten(index: int) -> None:
    table = table_of(*(ChunkRecord(i, digest(i), 5, "raw") for i in range(3)), count=3)

    with pytest.raises(ValueError, match="outside"):
        table.forget(index)

    assert table.is_complete


@pytest.mark.parametrize("index", [-1, 1, 3])
def test_unknown_chunk_has_no_record(index: int) -> None:
    table = table_of(ChunkRecord(0, digest(0), 5, "raw"), count=3)

    assert index not in table
    with pytest.raises(KeyError):
        table[index]


@pytest.mark.parametrize(
    "parts",
    [
        (2, b"\x00", bytes(16), bytes(64)),
        (2, b"\x00\x00", bytes(15), bytes(64)),
        (2, b"\x00\x00", bytes(16), bytes(63)),
        (2, b"\x00\x07", bytes(16), bytes(64)),
        (-1, b"", b"", b""),
    ],
    ids=["encodings", "sizes", "digests", "unknown encoding", "count"],
)
def test_parts_that_do_not_fit_together_are_refused(
    parts: tuple[int, bytes, bytes, bytes],
) -> None:
    with pytest.raises(ValueError, match="fit together"):
        ChunkTable.from_parts(parts)
