"""Converts events of each class to plain data and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

import msgpack
from sagaledger.domain.history.envelope import RecordedEvent
from sagaledger.domain.saga.values import Residue
from sagaledger.domain.upload.values import SourceFingerprint
from sagaledger.domain.values import Parameters

__all__ = ["ENVELOPE", "EventShape"]

ENVELOPE = (int, str, int)
"""The types of what comes before the fields of every event: `at_us`, `worker`, `epoch`."""
_ENVELOPE_NAMES = ("at_us", "worker", "epoch")
_SCALARS = (str, int, float, bytes, bool, type(None))

_Convert: TypeAlias = Callable[[Any], Any]
_Kind: TypeAlias = tuple[type[Any], _Convert | None, _Convert | None]
_Make: TypeAlias = Callable[[UUID, int, Any, int], RecordedEvent]
_LayOut: TypeAlias = Callable[[RecordedEvent], list[Any]]


class EventShape:
    """The stored layout of one class, derived once from its annotations."""

    def __init__(self, event_class: type[Any]) -> None:
        """Derive the layout.

        Raises:
            KeyError: An annotation has no stored form.
        """
        self._class = event_class
        self._names = tuple(field.name for field in fields(event_class))
        self._kinds = [_KINDS[str(field.type)] for field in fields(event_class)]
        stored_as = [stored for stored, _, _ in self._kinds]
        self.row_types: tuple[type[Any], ...] = (*ENVELOPE, *stored_as)
        """The types of the items of a stored row."""

    # Both on first use: most commands use few of the classes.

    @cached_property
    def make(self) -> _Make:
        """The function that makes an event in its envelope from stored plain data.

        It raises ValueError or TypeError if the data are not a row of this class.
        """
        return _maker(self._class, self._names, self._kinds, self._difference)

    @cached_property
    def lay_out(self) -> _LayOut:
        """The function that makes the row of an event: envelope and fields as plain data.

        It raises TypeError, ValueError or OverflowError if the format does not support a field.
        """
        return _outlayer(self._names, self._kinds)

    def columns(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """The columns of stored rows of this class, at least one row, without creating events.

        Raises:
            ValueError: One of them is not a row of this class.
        """
        if {*map(type, rows)} != {list}:
            raise ValueError("a row is not an array")
        columns: list[Sequence[Any]] = [*zip(*rows, strict=True)]
        if [{*map(type, column)} for column in columns] != [{kind} for kind in self.row_types]:
            raise ValueError("an item has the wrong type")
        return columns

    def _difference(self, row: Any) -> str:
        """Why a row does not fit this class."""
        if type(row) is not list or tuple(map(type, row[: len(ENVELOPE)])) != ENVELOPE:
            return "the envelope is damaged"
        count = len(row) - len(ENVELOPE)
        if count != len(self._names):
            return f"{count} fields where {len(self._names)} belong"
        return f"a field of {self._class.__name__} has the wrong type"


def _maker(
    event_class: type[Any],
    names: Sequence[str],
    kinds: Sequence[_Kind],
    difference: Callable[[Any], str],
) -> _Make:
    """The function that makes an event and its envelope from stored plain data.

    Generated for the class, as `dataclass` generates its functions, because looking up each field
    by name would take a third of a replay. The event of a frozen class is filled as an unfrozen
    draft, and gets its class when it is complete.
    """
    values = [*_ENVELOPE_NAMES, *(f"value_{name}" for name in names)]
    types = [*ENVELOPE, *(stored for stored, _, _ in kinds)]
    back = {name: convert for name, (_, _, convert) in zip(names, kinds, strict=True) if convert}
    lines = [
        "def make(stream_id, version, row, position):",
        f" if type(row) is not list or len(row) != {len(values)}:",
        "  raise ValueError(difference(row))",
        f" {', '.join(values)} = row",
        f" if {_any_other(values, types)}:",
        "  raise ValueError(difference(row))",
        *(f" value_{name} = back_{name}(value_{name})" for name in back),
        " event = new(Draft)",
        *(f" event.{name} = value_{name}" for name in names),
        " event.__class__ = event_class",
        " return envelope(RecordedEvent,",
        "  (stream_id, version, at_us, worker, epoch, event, position))",
    ]
    known: dict[str, Any] = {f"back_{name}": convert for name, convert in back.items()}
    known |= {
        "new": object.__new__,
        "envelope": tuple.__new__,
        "Draft": type(
            event_class.__name__, event_class.__bases__, {"__slots__": event_class.__slots__}
        ),
        "RecordedEvent": RecordedEvent,
        "difference": difference,
        "event_class": event_class,
    }
    made: _Make = _written_out("make", lines, known)
    return made


def _outlayer(names: Sequence[str], kinds: Sequence[_Kind]) -> _LayOut:
    """The function that makes the row of an event, generated for its class like `_maker`."""
    values = [f"value_{name}" for name in names]
    types = [stored for stored, _, _ in kinds]
    out = {name: convert for name, (_, convert, _) in zip(names, kinds, strict=True) if convert}
    lines = [
        "def lay_out(recorded):",
        f" _, _, {', '.join(_ENVELOPE_NAMES)}, event, _ = recorded",
        *(f" {value} = event.{name}" for value, name in zip(values, names, strict=True)),
        *(f" value_{name} = out_{name}(value_{name})" for name in out),
    ]
    if names:
        lines += [
            f" if {_any_other(values, types)}:",
            f"  {', '.join(values)}, = exactly(({', '.join(values)},))",
        ]
    lines.append(f" return [{', '.join([*_ENVELOPE_NAMES, *values])}]")
    known: dict[str, Any] = {f"out_{name}": convert for name, convert in out.items()}
    known["exactly"] = lambda found: map(_exactly, types, found)
    made: _LayOut = _written_out("lay_out", lines, known)
    return made


def _any_other(values: Sequence[str], types: Sequence[type[Any]]) -> str:
    """The condition that one of the values is not of exactly its type."""
    pairs = zip(values, types, strict=True)
    return " or ".join(f"type({value}) is not {kind.__name__}" for value, kind in pairs)


def _written_out(name: str, lines: Sequence[str], known: dict[str, Any]) -> Any:
    exec("\n".join(lines), known)  # noqa: S102 - of names of our own fields and types
    return known[name]


def _exactly(kind: type[Any], value: Any) -> Any:
    """The value as this type and no subclass: `True` as 1, a number of an enum as its value."""
    if isinstance(value, kind) or (kind is float and isinstance(value, int)):
        return kind(value)
    raise TypeError(f"{type(value).__name__} where {kind.__name__} belongs")


def _parameters(value: Parameters) -> dict[str, Any]:
    """The parameters, after a check that they are plain data."""
    parameters = dict(value)
    waiting: list[Any] = [parameters]
    # No recursion: stored bytes may be nested to any depth.
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

_KINDS: dict[str, _Kind] = {
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
"""By annotation: the stored type, and the conversions to it and back."""
