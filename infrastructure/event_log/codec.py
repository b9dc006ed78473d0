"""Events as bytes: one flag byte, then a msgpack array, compressed only where that is smaller.

The array is `[at_us, worker, epoch, *fields]`, fields by position in the order of the class.
Flag 0 is plain msgpack, flag 1 is a zstd frame of it (RFC 8878). Short events gain next to nothing,
so they are not tried (decision 0002). Whatever is stored can be read again: both directions hold
every field against the type that the class says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

import msgpack
import zstandard
from sagaledger.domain.errors import (
    EventCorruptError,
    EventTypeUnknownError,
    EventUnstorableError,
)
from sagaledger.domain.events import Recorded
from sagaledger.domain.values import Parameters, Residue, SourceFingerprint
from sagaledger.infrastructure.event_log.event_types import EVENT_TYPES, EventTypes

__all__ = ["COMPRESSION_THRESHOLD_BYTES", "EventCodec", "pack", "unpack"]

COMPRESSION_THRESHOLD_BYTES = 512
_LEVEL = 3
_HEADER = (int, str, int)
_PLAIN, _ZSTD = b"\x00", b"\x01"
_SCALARS = (str, int, float, bytes, bool, type(None))

_DAMAGE = (ValueError, TypeError, LookupError, AttributeError)
"""What fields that nobody has checked yet may raise, in an upcaster too."""

_Convert = Callable[[Any], Any]


def pack(data: Any) -> bytes:
    """The stored form of plain data: flag byte and msgpack, compressed where that is smaller.

    Text that is not Unicode (a file name may be any bytes) is stored with backslash escapes, so
    that an error which names such a file can be told at all.

    Raises:
        TypeError, ValueError, OverflowError: this is not plain data.
    """
    packed: bytes = msgpack.packb(data, unicode_errors="backslashreplace")
    if len(packed) >= COMPRESSION_THRESHOLD_BYTES:
        # A compressor per call: one object must not be used by two threads at once.
        small = zstandard.ZstdCompressor(level=_LEVEL).compress(packed)
        if len(small) < len(packed):
            return _ZSTD + small
    return _PLAIN + packed


def unpack(state: bytes) -> Any:
    """The plain data of a stored form.

    Raises:
        ValueError: these are not such bytes.
    """
    flag = state[:1]
    body = state[1:]
    try:
        if flag == _ZSTD:
            body = _decompressed(body)
        elif flag != _PLAIN:
            raise ValueError(f"unknown flag byte {flag!r}")
        return msgpack.unpackb(body, strict_map_key=False)
    except (zstandard.ZstdError, msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _decompressed(frame: bytes) -> bytes:
    # As a stream: room is taken for what comes out, not for what a damaged frame announces.
    stream = zstandard.ZstdDecompressor().decompressobj()
    plain = stream.decompress(frame)
    if not stream.eof or stream.unused_data:
        raise ValueError("not exactly one zstd frame")
    return plain


class EventCodec:
    """Turns recorded events into type name and bytes, and back."""

    def __init__(self, types: EventTypes = EVENT_TYPES) -> None:
        self._types = types
        self._shapes = {c: _Shape(c) for c in types.classes.values()}

    def encode(self, recorded: Recorded) -> tuple[str, bytes]:
        """The type name and stored bytes; stream, version and position are columns of their own.

        Raises:
            EventUnstorableError: a field holds what the format cannot.
        """
        event = recorded.event
        shape = self._shapes[type(event)]
        try:
            row = [recorded.at_us, recorded.worker, recorded.epoch, *shape.to_fields(event)]
            return self._types.name_of(type(event)), pack(row)
        except (TypeError, ValueError, OverflowError) as error:
            raise EventUnstorableError(type(event).__name__, str(error)) from error

    def decode(
        self, stream_id: UUID, version: int, type_name: str, state: bytes, position: int = 0
    ) -> Recorded:
        """The recorded event.

        Raises:
            EventCorruptError: the bytes are not an event of this type, or the type is unknown:
                the log was written by a newer version of this program.
        """
        try:
            row = unpack(state)
            if type(row) is not list or len(row) < len(_HEADER):
                raise ValueError("the envelope is damaged")
            at_us, worker, epoch, *values = row
            if (type(at_us), type(worker), type(epoch)) != _HEADER:
                raise ValueError("the envelope is damaged")
            event_class, stored = self._types.resolve(type_name, values)
            event = self._shapes[event_class].from_fields(stored)
        except (*_DAMAGE, EventTypeUnknownError) as error:
            raise EventCorruptError(stream_id.hex, version, str(error)) from error
        return Recorded(stream_id, version, at_us, worker, epoch, event, position)


class _Shape:
    """How the fields of one class are laid out, worked out once from its annotations."""

    def __init__(self, event_class: type[Any]) -> None:
        self._class = event_class
        self._names = tuple(field.name for field in fields(event_class))
        kinds = [_KINDS[str(field.type)] for field in fields(event_class)]
        self._stored_as = tuple(stored for stored, _, _ in kinds)
        self._out = [(index, out) for index, (_, out, _) in enumerate(kinds) if out]
        self._in = [(index, back) for index, (_, _, back) in enumerate(kinds) if back]

    def to_fields(self, event: Any) -> list[Any]:
        values = [getattr(event, name) for name in self._names]
        for index, convert in self._out:
            values[index] = convert(values[index])
        if tuple(map(type, values)) != self._stored_as:
            values = list(map(_exactly, self._stored_as, values))
        return values

    def from_fields(self, values: list[Any]) -> Any:
        if len(values) != len(self._names):
            raise ValueError(f"{len(values)} fields where {len(self._names)} belong")
        if tuple(map(type, values)) != self._stored_as:
            raise ValueError(f"a field of {self._class.__name__} has the wrong type")
        for index, convert in self._in:
            values[index] = convert(values[index])
        return self._class(*values)


def _exactly(kind: type[Any], value: Any) -> Any:
    """The value as this type and no subclass: `True` as 1, a number of an enum as its value."""
    if isinstance(value, kind) or (kind is float and isinstance(value, int)):
        return kind(value)
    raise TypeError(f"{type(value).__name__} where {kind.__name__} belongs")


def _parameters(value: Parameters) -> dict[str, Any]:
    """The parameters, once all in them is known to be plain data."""
    parameters = dict(value)
    waiting: list[Any] = [parameters]
    # No recursion: how deep stored bytes are nested is not ours to say.
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                raise TypeError("a key of plain data that is not text")
            waiting += item.values()
        elif isinstance(item, list | tuple) and not isinstance(item, msgpack.ExtType):
            waiting += item
        elif not isinstance(item, _SCALARS):
            raise TypeError(f"{type(item).__name__} is not plain data")
    return parameters


def _tuple_of(kind: type[Any]) -> _Convert:
    def convert(values: list[Any]) -> tuple[Any, ...]:
        if not all(type(value) is kind for value in values):
            raise ValueError(f"an item is not {kind.__name__}")
        return tuple(values)

    return convert


def _list_of(kind: type[Any]) -> _Convert:
    return lambda values: [_exactly(kind, value) for value in values]


def _record(kind: type[Any], types: tuple[type[Any], ...]) -> tuple[_Convert, _Convert]:
    """A small class as the array of its fields."""
    names = tuple(field.name for field in fields(kind))

    def out(value: Any) -> list[Any]:
        return [_exactly(t, getattr(value, name)) for t, name in zip(types, names, strict=True)]

    def back(stored: Any) -> Any:
        if type(stored) is not list or tuple(map(type, stored)) != types:
            raise ValueError(f"a damaged {kind.__name__}")
        return kind(*stored)

    return out, back


_fingerprint_out, _fingerprint_in = _record(SourceFingerprint, (int, int, int, int))
_residue_out, _residue_in = _record(Residue, (str, str, int, str))

_KINDS: dict[str, tuple[type[Any], _Convert | None, _Convert | None]] = {
    "int": (int, None, None),
    "str": (str, None, None),
    "bytes": (bytes, None, None),
    "bool": (bool, None, None),
    "float": (float, None, None),
    "Parameters": (dict, _parameters, _parameters),
    "SourceFingerprint": (list, _fingerprint_out, _fingerprint_in),
    "tuple[Residue, ...]": (
        list,
        lambda value: [_residue_out(residue) for residue in value],
        lambda stored: tuple(_residue_in(item) for item in stored),
    ),
    "tuple[str, ...]": (list, _list_of(str), _tuple_of(str)),
    "tuple[int, ...]": (list, _list_of(int), _tuple_of(int)),
}
"""By annotation: what is stored, how it gets there, and how it comes back."""
