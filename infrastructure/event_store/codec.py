"""Events as bytes: one flag byte, then a msgpack array, compressed only where that is smaller.

The array is `[at_us, worker, epoch, *fields]`, fields by position in the order of the class.
Flag 0 is plain msgpack, flag 1 is a zstd frame of it (RFC 8878). Short events gain almost nothing,
so they are not compressed (decision 0002). Every stored event can be read again: both directions
check every field against the type in the class.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

import msgpack
import zstandard
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.history.errors import (
    EventCorruptError,
    EventSerializationError,
    EventTypeUnknownError,
)
from sagaledger.domain.history.runs import EventRun
from sagaledger.domain.upload.chunk_run import ChunkRun
from sagaledger.domain.upload.events import ChunkWritten
from sagaledger.infrastructure.event_store.event_shapes import ENVELOPE, EventShape
from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES, EventTypes

__all__ = ["COMPRESSION_THRESHOLD_BYTES", "EventCodec", "pack", "unpack"]

COMPRESSION_THRESHOLD_BYTES = 512
_LEVEL = 3
_CREDIBLE_RATIO = 16
"""Up to this announced compression ratio, the memory for the data is allocated at once."""
_UNICODE_ERRORS = "backslashreplace"
_PLAIN, _ZSTD = b"\x00", b"\x01"

_Key = TypeVar("_Key")

_DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
"""The errors that unchecked fields may raise, also in an upcaster."""


def pack(data: Any) -> bytes:
    """The stored form of plain data: flag byte and msgpack, compressed where that is smaller.

    Text that is not Unicode (a file name may be any bytes) is stored with backslash escapes, so
    that an error which names such a file can be stored.

    Raises:
        TypeError, ValueError, OverflowError: this is not plain data.
    """
    packed: bytes = msgpack.packb(data, unicode_errors=_UNICODE_ERRORS)
    return _PLAIN + packed if len(packed) < COMPRESSION_THRESHOLD_BYTES else _compressed(packed)


def _compressed(packed: bytes) -> bytes:
    """The stored form of long data, compressed where that is smaller."""
    # A compressor per call: two threads must not share one.
    small = zstandard.ZstdCompressor(level=_LEVEL).compress(packed)
    return _ZSTD + small if len(small) < len(packed) else _PLAIN + packed


def unpack(state: bytes | memoryview) -> Any:
    """The plain data of a stored form.

    Raises:
        ValueError: The bytes are not a stored form.
    """
    flag = bytes(state[:1])
    # A snapshot has some megabytes: avoid unnecessary copies.
    body = memoryview(state)[1:]
    try:
        if flag == _PLAIN:
            return msgpack.unpackb(body, strict_map_key=False)
        if flag != _ZSTD:
            raise ValueError(f"unknown flag byte {flag!r}")
        return msgpack.unpackb(_decompressed(body), strict_map_key=False)
    except (zstandard.ZstdError, msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _decompressed(frame: memoryview) -> bytes:
    announced = zstandard.frame_content_size(frame)
    if 0 < announced <= _CREDIBLE_RATIO * len(frame):
        whole = zstandard.ZstdDecompressor()
        return whole.decompress(frame, max_output_size=0, allow_extra_data=False)
    # As a stream: memory is allocated for the output, not for what a damaged frame announces.
    stream = zstandard.ZstdDecompressor().decompressobj()
    plain = stream.decompress(frame)
    if not stream.eof or stream.unused_data:
        raise ValueError("not exactly one zstd frame")
    return plain


class EventCodec:
    """Turns recorded events into type name and bytes, and back."""

    def __init__(self, types: EventTypes = EVENT_TYPES) -> None:
        self._types = types
        self._by_name = {name: EventShape(c) for name, c in types.classes.items()}
        self._by_class = {c: (name, self._by_name[name]) for name, c in types.classes.items()}
        self._packers = _Packers()
        self._chunk_type = types.name_of(ChunkWritten)

    def encode(self, recorded: RecordedEvent) -> tuple[str, bytes]:
        """The type name and stored bytes; stream, version and position are columns of their own.

        Raises:
            EventSerializationError: A field holds a value that the format does not support.
        """
        event_class = type(recorded.event)
        try:
            type_name, shape = self._by_class[event_class]
        except KeyError:
            cause = "it is not a type of the event store; record a FactRecorded instead"
            raise EventSerializationError(event_class.__name__, cause) from None
        try:
            packed = self._packers.pack(shape.lay_out(recorded))
            if len(packed) < COMPRESSION_THRESHOLD_BYTES:
                return type_name, _PLAIN + packed
            return type_name, _compressed(packed)
        except (TypeError, ValueError, OverflowError) as error:
            raise EventSerializationError(event_class.__name__, str(error)) from error

    def decode(
        self, stream_id: UUID, version: int, type_name: str, state: bytes, position: int = 0
    ) -> RecordedEvent:
        """The recorded event.

        Raises:
            EventCorruptError: the bytes are not an event of this type, or the type is unknown:
                the log was written by a newer version of this program.
        """
        row = (stream_id, version, type_name, state, position)
        return self.decode_rows([row], {stream_id: stream_id})[0]

    def decode_rows(
        self, rows: Iterable[tuple[_Key, int, str, bytes, int]], streams: Mapping[_Key, UUID]
    ) -> list[RecordedEvent]:
        """The recorded events of stored rows: stream, version, type name, state and position.

        Args:
            rows: the rows; each is read once, in order.
            streams: the ids of the streams by the identifiers in the rows.

        Raises:
            EventCorruptError: As `decode`, for the first row that is not an event.
        """
        by_name, unpackb = self._by_name, msgpack.unpackb
        events = []
        # One loop without unnecessary calls: a replay runs it millions of times.
        for stream, version, type_name, state, position in rows:
            stream_id = streams[stream]
            try:
                if state[:1] == _PLAIN:
                    row = unpackb(state[1:], strict_map_key=False)
                else:
                    row = unpack(state)
                shape = by_name.get(type_name)
                if shape is None:
                    shape, row = self._brought_up_to_date(type_name, row)
                events.append(shape.make(stream_id, version, row, position))
            except (*_DAMAGE, msgpack.UnpackException, EventTypeUnknownError) as error:
                raise EventCorruptError(stream_id.hex, version, str(error)) from error
        return events

    def decode_runs(
        self, rows: Iterable[tuple[_Key, int, str, bytes, int]], streams: Mapping[_Key, UUID]
    ) -> list[EventRun]:
        """The events of `decode_rows`, as runs of one type.

        Raises:
            EventCorruptError: as `decode_rows`.
        """
        runs: list[EventRun] = []
        hexes = _HexIds(streams)
        for type_name, of_type in groupby(rows, itemgetter(2)):
            same = list(of_type)
            chunks = self._chunk_run(same, hexes) if type_name == self._chunk_type else None
            if chunks is not None:
                runs.append((ChunkWritten, chunks))
                continue
            events = self.decode_rows(same, streams)
            kind = type(events[0].event)
            runs.append((kind, ChunkRun.of(events) if kind is ChunkWritten else events))
        return runs

    def _chunk_run(
        self, rows: Sequence[tuple[_Key, int, str, bytes, int]], hexes: Mapping[_Key, str]
    ) -> ChunkRun | None:
        """The run of these rows, or None if they must be decoded one at a time."""
        streams, versions, _, states, positions = zip(*rows, strict=True)
        upload_ids = [hexes[stream] for stream in streams]
        unpackb = msgpack.unpackb
        try:
            packed = [
                unpackb(state[1:], strict_map_key=False) if state[:1] == _PLAIN else unpack(state)
                for state in states
            ]
            columns = self._by_name[self._chunk_type].columns(packed)
        except (*_DAMAGE, msgpack.UnpackException):
            return None
        return ChunkRun(*[upload_ids, versions, *columns, positions])

    def _brought_up_to_date(self, type_name: str, row: Any) -> tuple[EventShape, list[Any]]:
        if type(row) is not list or len(row) < len(ENVELOPE):
            raise ValueError("the envelope is damaged")
        envelope, values = row[: len(ENVELOPE)], row[len(ENVELOPE) :]
        event_class, values = self._types.resolve(type_name, values)
        return self._by_class[event_class][1], [*envelope, *values]


class _HexIds(dict[_Key, str]):
    """The ids of streams in hexadecimal, each converted once."""

    def __init__(self, streams: Mapping[_Key, UUID]) -> None:
        self._streams = streams

    def __missing__(self, stream: _Key) -> str:
        made = self[stream] = self._streams[stream].hex
        return made


class _Packers(threading.local):
    """A packer per thread: it is not thread-safe, and creating one costs as much as some events."""

    def __init__(self) -> None:
        self.pack: Callable[[Any], bytes] = msgpack.Packer(unicode_errors=_UNICODE_ERRORS).pack
