"""How each class of event is laid out as plain data, and made of it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

import msgpack
from sagaledger.domain.events import Recorded
from sagaledger.domain.values import Parameters, Residue, SourceFingerprint

__all__ = ["ENVELOPE", "EventShape"]

ENVELOPE = (int, str, int)
"""The types of what comes before the fields of every event: `at_us`, `worker`, `epoch`."""
_SCALARS = (str, int, float, bytes, bool, type(None))

_Convert: TypeAlias = Callable[[Any], Any]
_Make: TypeAlias = Callable[[UUID, int, list[Any], int], Recorded]


class EventShape:
    """How the fields of one class are laid out, worked out once from its annotations."""

    def __init__(self, event_class: type[Any]) -> None:
        """Work it out.

        Raises:
            KeyError: an annotation has no stored form.
        """
        self._class = event_class
        self._names = tuple(field.name for field in fields(event_class))
        kinds = [_KINDS[str(field.type)] for field in fields(event_class)]
        self._stored_as = tuple(stored for stored, _, _ in kinds)
        self._out = [(index, out) for index, (_, out, _) in enumerate(kinds) if out]
        self.row_types: list[type[Any]] = [*ENVELOPE, *self._stored_as]
        """What the items of a stored row are, one by one."""
        back_from = enumerate(kinds, len(ENVELOPE))
        self.converters = [(index, back) for index, (_, _, back) in back_from if back]
        """By index in the row, what an item that is no field yet goes through."""

    @cached_property
    def make(self) -> _Make:
        """The function that makes the event of a checked and converted row, in its envelope."""
        # On first use: most commands meet few of the classes.
        return _maker(self._class, self._names)

    def to_fields(self, event: Any) -> list[Any]:
        """The event's fields as plain data.

        Raises:
            TypeError, ValueError, OverflowError: a field holds what the format cannot.
        """
        values = [getattr(event, name) for name in self._names]
        for index, convert in self._out:
            values[index] = convert(values[index])
        if tuple(map(type, values)) != self._stored_as:
            values = list(map(_exactly, self._stored_as, values))
        return values

    def difference(self, row: Any) -> str:
        """In which way a row is none of this class."""
        if type(row) is not list or tuple(map(type, row[: len(ENVELOPE)])) != ENVELOPE:
            return "the envelope is damaged"
        count = len(row) - len(ENVELOPE)
        if count != len(self._names):
            return f"{count} fields where {len(self._names)} belong"
        return f"a field of {self._class.__name__} has the wrong type"


def _maker(event_class: type[Any], names: Sequence[str]) -> _Make:
    """The function that makes an event of fields whose types were checked, and its envelope.

    Written out for the class, as `dataclass` writes its own functions: the one of a frozen class
    looks up by name how each field is set, which costs a tenth of a replay.
    """
    values = ", ".join(f"value_{name}" for name in names)
    lines = [
        "def make(stream_id, version, row, position):",
        f" at_us, worker, epoch, {values} = row" if names else " at_us, worker, epoch = row",
        " event = new(event_class)",
        *(f" set_{name}(event, value_{name})" for name in names),
        " return envelope(Recorded,",
        "  (stream_id, version, at_us, worker, epoch, event, position))",
    ]
    known: dict[str, Any] = {f"set_{n}": getattr(event_class, n).__set__ for n in names}
    known |= {
        "new": object.__new__,
        "envelope": tuple.__new__,
        "Recorded": Recorded,
        "event_class": event_class,
    }
    exec("\n".join(lines), known)  # noqa: S102 - of names of our own fields, as the docstring says
    make: _Make = known["make"]
    return make


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
