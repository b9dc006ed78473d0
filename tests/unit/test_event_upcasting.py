"""How an event changes: the example of decision 0002, three versions of `ChunkWritten`.

It is as if version 1 had told its digest in hexadecimal text, and version 2 had not known of
attempts.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.domain.history.errors import EventCorruptError
from sagaledger.domain.history.runs import events_of
from sagaledger.domain.saga.events import SagaPaused
from sagaledger.domain.upload.events import ChunkWritten, UploadStarted
from sagaledger.domain.upload.state import fold_upload
from sagaledger.infrastructure.event_store.codec import EventCodec, pack
from sagaledger.infrastructure.event_store.event_types import EventTypes

from tests.support.event_examples import EVENT_EXAMPLES

STREAM = UUID("00112233445566778899aabbccddeeff")


def packed(*row: object) -> bytes:
    return pack(list(row))


def digest_as_bytes(stored_fields: list[Any]) -> list[Any]:
    index, digest, *rest = stored_fields
    return [index, bytes.fromhex(digest.lower()), *rest]


def with_first_attempt(stored_fields: list[Any]) -> list[Any]:
    return [*stored_fields, 1]


CHANGED = EventTypes(
    {"upload-started/1": UploadStarted, "chunk-written/3": ChunkWritten},
    {
        "chunk-written/1": ("chunk-written/2", digest_as_bytes),
        "chunk-written/2": ("chunk-written/3", with_first_attempt),
    },
)


def test_history_of_three_versions_is_read_as_events_of_today() -> None:
    opened = EVENT_EXAMPLES["upload-started-1"]
    rows = [
        EventCodec(CHANGED).encode(RecordedEvent(STREAM, 1, 5, "w", 1, opened)),
        ("chunk-written/1", packed(5, "w", 1, 0, "AB" * 32, 10, "raw")),
        ("chunk-written/2", packed(6, "w", 1, 1, b"\xab" * 32, 10, "raw")),
        ("chunk-written/3", packed(7, "w", 2, 2, b"\xab" * 32, 10, "raw", 2)),
    ]

    runs = EventCodec(CHANGED).decode_runs(
        [
            (STREAM, version, type_name, state, version)
            for version, (type_name, state) in enumerate(rows, 1)
        ],
        {STREAM: STREAM},
    )

    read = [*events_of(runs)]

    digest = b"\xab" * 32
    assert [(item.at_us, item.epoch, item.event) for item in read[1:]] == [
        (5, 1, ChunkWritten(0, digest, 10, "raw", 1)),
        (6, 1, ChunkWritten(1, digest, 10, "raw", 1)),
        (7, 2, ChunkWritten(2, digest, 10, "raw", 2)),
    ]
    upload = fold_upload(None, read)
    assert upload is not None
    assert (upload.version, upload.chunks.digests()) == (4, [digest] * 3)


def test_event_stored_is_always_of_the_newest_version() -> None:
    chunk = RecordedEvent(STREAM, 1, 5, "w", 1, ChunkWritten(0, bytes(32), 10, "raw", 1))

    assert EventCodec(CHANGED).encode(chunk)[0] == "chunk-written/3"
    assert {"chunk-written/1", "chunk-written/2", "chunk-written/3"} < CHANGED.names


@pytest.mark.parametrize("digest", ["no hexadecimal text", 7, None])
def test_damaged_event_of_an_older_version_is_refused_with_its_place(digest: object) -> None:
    state = packed(5, "w", 1, 0, digest, 10, "raw")

    with pytest.raises(EventCorruptError, match=f"event 12 of stream {STREAM.hex}"):
        EventCodec(CHANGED).decode(STREAM, 12, "chunk-written/1", state)


@pytest.mark.parametrize(
    ("current", "older", "cause"),
    [
        ({"a/1": SagaPaused, "b/1": SagaPaused}, {}, "one name only"),
        ({"a/2": SagaPaused}, {"a/1": "a/3"}, "a/1 -> a/3 does not end at a current type"),
        ({"b/1": SagaPaused}, {"a/1": "a/2", "a/2": "a/1"}, "does not end at a current type"),
        ({"a/1": SagaPaused}, {"a/1": "a/1"}, "is current and must have no upcaster"),
    ],
    ids=["two names for a class", "to no type", "in a circle", "of a current type"],
)
def test_table_that_cannot_be_followed_is_refused(
    current: dict[str, type[Event]], older: dict[str, str], cause: str
) -> None:
    upcasters = {name: (to, with_first_attempt) for name, to in older.items()}

    with pytest.raises(ValueError, match=cause):
        EventTypes(current, upcasters)
