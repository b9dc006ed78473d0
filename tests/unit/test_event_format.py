"""The bytes of stored events: what was written once is read for ever, and damage is told.

To add a golden file for a new type, add an example to `tests/support/event_examples.py` and run
`python -m tests.support.golden_events`, which writes missing files and leaves all others alone.
"""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path
from typing import Any
from uuid import UUID

import msgpack
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import EventCorruptError, EventSerializationError
from sagaledger.domain.saga.events import (
    CompensationAttempted,
    RetryScheduled,
    SagaPaused,
    StepCompleted,
    StepFailed,
)
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.infrastructure.event_store.codec import EventCodec, pack, unpack
from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES

from tests.support.event_examples import EVENT_EXAMPLES
from tests.support.event_strategies import EVENT_CLASSES, is_as_declared, recorded_events
from tests.support.golden_events import GOLDEN_EVENTS, read_golden, write_missing

STREAM = UUID("00112233445566778899aabbccddeeff")
FILES = sorted(GOLDEN_EVENTS.glob("*"))
GOLDEN = {path.stem: read_golden(path) for path in FILES}
PLAIN = [name for name, golden in GOLDEN.items() if golden.state[0] == 0]
CODEC = EventCodec()


def stored(*row: object) -> bytes:
    """A row of an older or stranger program."""
    return b"\x00" + bytes(msgpack.packb(row))


def zstd(*row: object) -> bytes:
    return b"\x01" + zstandard.ZstdCompressor().compress(stored(*row)[1:])


def test_every_type_that_can_be_read_has_a_golden_file_and_no_file_is_without_a_type() -> None:
    assert {golden.type_name for golden in GOLDEN.values()} == EVENT_TYPES.names
    assert set(EVENT_TYPES.classes.values()) == set(EVENT_CLASSES)
    assert {path.name for path in FILES} == {f"{name}.txt" for name in EVENT_EXAMPLES}
    for name, golden in GOLDEN.items():
        assert name.removesuffix("-compressed") == golden.type_name.replace("/", "-")


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_decoded_give_exactly_their_event(name: str) -> None:
    golden = GOLDEN[name]
    expected = golden.recorded(EVENT_EXAMPLES[name])

    decoded = CODEC.decode(golden.stream_id, golden.version, golden.type_name, golden.state)

    assert decoded == expected
    assert repr(decoded) == repr(expected), "equal, but of another type: 1 for 1.0 or True"


@pytest.mark.parametrize("name", [n for n in PLAIN if GOLDEN[n].type_name in EVENT_TYPES.classes])
def test_event_of_today_encoded_gives_exactly_its_golden_bytes(name: str) -> None:
    golden = GOLDEN[name]

    encoded = CODEC.encode(golden.recorded(EVENT_EXAMPLES[name]))

    assert encoded == (golden.type_name, golden.state)


def test_golden_files_written_again_are_left_as_they_are(tmp_path: Path) -> None:
    kept = tmp_path / "chunk-written-1.txt"
    kept.write_text("an older file")

    written = write_missing(tmp_path)

    assert kept.read_text() == "an older file"
    assert {path.stem for path in written} == set(EVENT_EXAMPLES) - {"chunk-written-1"}
    assert write_missing(tmp_path) == []


ROW = (1_717_243_200_123_456, "a1b2c3d4", 2)
LONG = "far away " * 100
DAMAGED: dict[str, tuple[str, bytes]] = {
    "unknown type": ("chunk-forgotten/1", stored(*ROW, "ann")),
    "unknown version": ("saga-paused/2", stored(*ROW, "ann")),
    "no bytes": ("saga-paused/1", b""),
    "flag byte alone": ("saga-paused/1", b"\x00"),
    "unknown flag": ("saga-paused/1", b"\x02" + stored(*ROW, "ann")[1:]),
    "truncated": ("saga-paused/1", stored(*ROW, "ann")[:-1]),
    "bytes behind the row": ("saga-paused/1", stored(*ROW, "ann") + b"\x00"),
    "no row": ("saga-paused/1", b"\x00" + bytes(msgpack.packb("abcd"))),
    "a map for a row": ("saga-paused/1", b"\x00" + bytes(msgpack.packb({1: 2}))),
    "half an envelope": ("saga-completed/1", stored(*ROW[:2])),
    "envelope of wrong types": ("saga-paused/1", stored("now", 2, None, "ann")),
    "a field too few": ("saga-paused/1", stored(*ROW)),
    "a field too many": ("saga-paused/1", stored(*ROW, "ann", "bob")),
    "a field of wrong type": ("saga-paused/1", stored(*ROW, 7)),
    "a bool for a number": ("step-started/1", stored(*ROW, "upload", True)),
    "an item of wrong type": ("saga-compensated/1", stored(*ROW, ["upload", 7])),
    "a damaged fingerprint": (
        "upload-started/1",
        stored(*ROW, "s", "f", [1, 2, 3], 1, 1, "p/", "chunks", "none"),
    ),
    "a damaged residue": (
        "compensation-attempted/1",
        stored(*ROW, "upload", 1, 0, [["chunks", "k", "one", ""]], "", True, 0.1),
    ),
    "a key that is no text": ("step-completed/1", stored(*ROW, "upload", 1, {1: 2}, 0.1)),
    "a value that is not plain": (
        "step-completed/1",
        stored(*ROW, "upload", 1, {"a": [msgpack.ExtType(5, b"")]}, 0.1),
    ),
    "text that is none": ("saga-paused/1", stored(*ROW, "ann")[:-3] + b"\xff\xfe\xfd"),
    "nested without end": ("saga-paused/1", b"\x00" + b"\x91" * 5_000),
    "no zstd frame": ("saga-paused/1", b"\x01" + stored(*ROW, "ann")[1:]),
    "truncated zstd frame": ("saga-paused/1", zstd(*ROW, LONG)[:-1]),
    "bytes behind the zstd frame": ("saga-paused/1", zstd(*ROW, LONG) + b"\x00"),
    "zstd frame that announces 32 TB": (
        "saga-paused/1",
        b"\x01\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 2**45) + b"\x01\x00\x00",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_event_decoded_is_refused_with_its_place(damage: str) -> None:
    type_name, state = DAMAGED[damage]

    with pytest.raises(EventCorruptError) as refused:
        CODEC.decode(STREAM, 12, type_name, state)

    assert (refused.value.stream, refused.value.version) == (STREAM.hex, 12)
    assert f"event 12 of stream {STREAM.hex} cannot be decoded: " in str(refused.value)


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, "now"), (3, True), (4, "ab"), (7, None), (8, 1)],
    ids=["envelope", "bool for a number", "text for bytes", "nothing for a number", "one too many"],
)
def test_damaged_chunk_among_others_is_refused_with_its_place(at: int, value: object) -> None:
    row = [*ROW, 7, b"\xab" * 32, 10, "raw", 1]
    damaged = [*row[:at], value, *row[at + 1 :]]
    states = [stored(*row), stored(*damaged), stored(*row)]
    rows = [(1, n, "chunk-written/1", state, n) for n, state in enumerate(states, 1)]

    with pytest.raises(EventCorruptError) as refused:
        CODEC.decode_runs(rows, {1: STREAM})

    assert (refused.value.stream, refused.value.version) == (STREAM.hex, 2)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """The bytes of any event, a few of which were changed, removed or put in."""
    type_name, state = CODEC.encode(draw(recorded_events()))
    damaged = bytearray(state)
    for _ in range(draw(st.integers(1, 3))):
        # Damage to the beginning, where the structure is, says more than damage to long text.
        start = draw(st.integers(0, min(len(damaged), 64)) | st.integers(0, len(damaged)))
        damaged[start : start + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return draw(st.just(type_name) | st.sampled_from(sorted(EVENT_TYPES.names))), bytes(damaged)


@given(mutations())
@settings(max_examples=500, deadline=None)
def test_any_change_to_stored_bytes_gives_a_valid_event_or_is_refused(
    mutation: tuple[str, bytes],
) -> None:
    type_name, state = mutation

    try:
        decoded = CODEC.decode(STREAM, 12, type_name, state)
    except EventCorruptError as error:
        refused = error
        with pytest.raises(EventCorruptError, match=re.escape(str(error))):
            CODEC.decode_runs([(1, 12, type_name, state, 0)], {1: STREAM})
    else:
        ((kind, run),) = CODEC.decode_runs([(1, 12, type_name, state, 0)], {1: STREAM})
        assert (kind, list(run)) == (type(decoded.event), [decoded])
        assert is_as_declared(decoded, RecordedEvent)
        assert type(decoded.event) is EVENT_TYPES.classes[type_name]
        return
    assert (refused.stream, refused.version) == (STREAM.hex, 12)


@given(st.sampled_from([b"\x00", b"\x01", b""]), st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_unpacked_give_data_or_a_value_error(flag: bytes, body: bytes) -> None:
    state = flag + body

    try:
        data = unpack(state)
    except ValueError:
        return

    # Equal numbers may be stored in several ways, so what must be the same is the data.
    assert repr(unpack(pack(data))) == repr(data)


@pytest.mark.parametrize(
    "output",
    [
        {"found": {1, 2}},
        {"found": object()},
        {"found": 2**64},
        {"pages": {1: "one"}},
        {"found": msgpack.ExtType(5, b"")},
    ],
    ids=["set", "object", "number of more than 64 bits", "number for a key", "extension"],
)
def test_output_that_is_not_plain_data_is_not_stored(output: dict[str, Any]) -> None:
    recorded = RecordedEvent(STREAM, 1, 0, "w", 1, StepCompleted("a", 1, output, 0.0))

    with pytest.raises(EventSerializationError):
        CODEC.encode(recorded)


def in_and_out(event: Event) -> Event:
    type_name, state = CODEC.encode(RecordedEvent(STREAM, 1, 0, "w", 1, event))
    return CODEC.decode(STREAM, 1, type_name, state).event


@pytest.mark.parametrize(
    ("given_event", "expected"),
    [
        (RetryScheduled("upload", 2, 5, 1), RetryScheduled("upload", 2, 5.0, 1)),
        (
            CompensationAttempted("a", 1, True, (), "", True, 0),
            CompensationAttempted("a", 1, 1, (), "", True, 0.0),
        ),
        (
            StepCompleted("a", 1, {"range": (1, 2)}, 0.0),  # type: ignore[dict-item]  # What a step may return all the same.
            StepCompleted("a", 1, {"range": [1, 2]}, 0.0),
        ),
        (
            StepFailed("a", 1, "r", "no file caf\udce9.pdf", "E", 0.0),
            StepFailed("a", 1, "r", "no file caf\\udce9.pdf", "E", 0.0),
        ),
    ],
    ids=["whole number of seconds", "bool for a number", "tuple", "text that is not Unicode"],
)
def test_near_miss_of_a_field_type_is_stored_as_that_type(
    given_event: Event, expected: Event
) -> None:
    assert repr(in_and_out(given_event)) == repr(expected)


def test_field_of_a_wrong_type_is_not_stored() -> None:
    wrong = CompensationAttempted("a", 1, "3", (), "", True, 0.0)  # type: ignore[arg-type]  # What a user's undo may return.

    with pytest.raises(EventSerializationError, match="str where int belongs"):
        in_and_out(wrong)


def test_only_long_events_that_shrink_are_compressed() -> None:
    short, long = SagaPaused("a" * 480), SagaPaused("a" * 520)
    nothing_repeats = random.Random(0).randbytes(1_000)
    stubborn = ChunkWritten(7, nothing_repeats, 4_194_304, "raw", 1)

    states = [
        CODEC.encode(RecordedEvent(STREAM, 1, 0, "w", 1, e))[1] for e in (short, long, stubborn)
    ]

    assert [state[0] for state in states] == [0, 1, 0]
