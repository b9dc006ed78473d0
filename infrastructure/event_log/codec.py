"""Events as bytes: one flag byte, then a msgpack array, compressed only where that is smaller.

The array is `[at_us, worker, epoch, *fields]`, fields by position in the order of the class.
Flag 0 is plain msgpack, flag 1 is a zstd frame of it (RFC 8878). Short events never shrink, so
they are not tried (decision 0002).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

import msgpack
import zstandard
from sagaledger.domain.errors import EventCorruptError
from sagaledger.domain.events import Recorded
from sagaledger.domain.values import Residue, SourceFingerprint
from sagaledger.infrastructure.event_log.event_types import EVENT_TYPES, EventTypes

__all__ = ["COMPRESSION_THRESHOLD_BYTES", "EventCodec", "pack", "unpack"]

COMPRESSION_THRESHOLD_BYTES = 512
_LEVEL = 3
_HEADER_FIELDS = 3
_PLAIN, _ZSTD = b"\x00", b"\x01"

_Convert = Callable[[Any], Any]


def pack(data: Any) -> bytes:
    """The stored form of plain data: flag byte and msgpack, compressed where that is smaller."""
    packed: bytes = msgpack.packb(data)
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
            body = zstandard.ZstdDecompressor().decompress(body)
        elif flag != _PLAIN:
            raise ValueError(f"unknown flag byte {flag!r}")
        return msgpack.unpackb(body, strict_map_key=False)
    except (zstandard.ZstdError, msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


class EventCodec:
    """Turns recorded events into type name and bytes, and back."""

    def __init__(self, types: EventTypes = EVENT_TYPES) -> None:
        self._types = types
        self._shapes = {c: _Shape(c) for c in types.classes.values()}

    def encode(self, recorded: Recorded) -> tuple[str, bytes]:
        """The type name and stored bytes; stream, version and position are columns of their own."""
        event = recorded.event
        shape = self._shapes[type(event)]
        row = [recorded.at_us, recorded.worker, recorded.epoch, *shape.to_fields(event)]
        return self._types.name_of(type(event)), pack(row)

    def decode(
        self, stream_id: UUID, version: int, type_name: str, state: bytes, position: int = 0
    ) -> Recorded:
        """The recorded event.

        Raises:
            EventTypeUnknownError: the type is of a newer version of this program.
            EventCorruptError: the bytes are not an event of this type.
        """
        try:
            row = unpack(state)
            at_us, worker, epoch = row[:_HEADER_FIELDS]
            event_class, stored = self._types.resolve(type_name, row[_HEADER_FIELDS:])
            event = self._shapes[event_class].from_fields(stored)
        except (ValueError, TypeError, IndexError, KeyError) as error:
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
        return values

    def from_fields(self, values: list[Any]) -> Any:
        if len(values) != len(self._names):
            raise ValueError(f"{len(values)} fields where {len(self._names)} belong")
        if not all(map(isinstance, values, self._stored_as)):
            raise ValueError(f"a field of {self._class.__name__} has the wrong type")
        for index, convert in self._in:
            values[index] = convert(values[index])
        return self._class(*values)


def _fingerprint_out(value: SourceFingerprint) -> list[int]:
    return [value.size_bytes, value.modified_ns, value.inode, value.device]


def _residue_out(value: tuple[Residue, ...]) -> list[list[Any]]:
    return [[r.store, r.ref, r.count, r.detail] for r in value]


def _residue_in(value: list[list[Any]]) -> tuple[Residue, ...]:
    return tuple(Residue(*item) for item in value)


_KINDS: dict[str, tuple[Any, _Convert | None, _Convert | None]] = {
    "int": (int, None, None),
    "str": (str, None, None),
    "bytes": (bytes, None, None),
    "bool": (bool, None, None),
    "float": ((float, int), None, None),
    "Parameters": (dict, dict, None),
    "SourceFingerprint": (list, _fingerprint_out, lambda value: SourceFingerprint(*value)),
    "tuple[Residue, ...]": (list, _residue_out, _residue_in),
    "tuple[str, ...]": (list, list, tuple),
    "tuple[int, ...]": (list, list, tuple),
}
"""By annotation: what is stored, how it gets there, and how it comes back."""
