"""Any event of any type comes back from its stored bytes as it was."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.infrastructure.event_store.codec import (
    COMPRESSION_THRESHOLD_BYTES,
    EventCodec,
    unpack,
)

from tests.support.event_strategies import EVENT_CLASSES, is_as_declared, recorded_events

CODEC = EventCodec()


def decoded(recorded: RecordedEvent, type_name: str, state: bytes) -> RecordedEvent:
    return CODEC.decode(
        recorded.originator_id, recorded.originator_version, type_name, state, recorded.position
    )


@pytest.mark.parametrize("event_class", EVENT_CLASSES, ids=lambda c: c.__name__)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_event_stored_and_read_is_the_same(event_class: type[Event], data: st.DataObject) -> None:
    recorded = data.draw(recorded_events(event_class))

    type_name, state = CODEC.encode(recorded)
    read = decoded(recorded, type_name, state)

    assert read == recorded
    assert is_as_declared(read, RecordedEvent)
    assert CODEC.encode(read) == (type_name, state)


@given(recorded_events())
@settings(deadline=None)
def test_stored_form_is_compressed_only_where_that_is_smaller(recorded: RecordedEvent) -> None:
    _, state = CODEC.encode(recorded)

    plain_bytes = len(msgpack.packb(unpack(state)))
    if state[0] == 0:
        assert len(state) == 1 + plain_bytes
    else:
        assert plain_bytes >= COMPRESSION_THRESHOLD_BYTES
        assert len(state) <= plain_bytes
