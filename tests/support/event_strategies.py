"""Any event there can be: strategies derived from the types that the event classes declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import mul
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from sagaledger.domain.history.envelope import Event, RecordedEvent
from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES

__all__ = ["EVENT_CLASSES", "event_strategy", "is_as_declared", "recorded_events"]

EVENT_CLASSES: tuple[type[Event], ...] = tuple(EVENT_TYPES.classes.values())
"""Every class of event there is."""

_INT64 = st.integers(-(2**63), 2**63 - 1)
# A number that is none is not even equal to itself, so it could not be told from a damaged one.
_FLOATS = st.floats(allow_nan=False)
_OFTEN = st.integers(200, 700)

_SCALARS = (
    st.none() | st.booleans() | _INT64 | _FLOATS | st.text(max_size=8) | st.binary(max_size=8)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_PARAMETERS = st.dictionaries(st.text(max_size=8), _VALUES, max_size=4)
_OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    int: _INT64 | st.integers(0, 300),
    # Long ones are there too, and so short to draw: they make the stored form a compressed one.
    str: st.text(max_size=20) | st.builds(mul, st.text(min_size=1, max_size=3), _OFTEN),
    bytes: st.binary(max_size=40) | st.builds(mul, st.binary(min_size=1, max_size=3), _OFTEN),
    bool: st.booleans(),
    float: _FLOATS,
}


def event_strategy(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of one class."""
    built: st.SearchStrategy[Event] = _strategy(event_class)
    return built


def recorded_events(event_class: type[Event] | None = None) -> st.SearchStrategy[RecordedEvent]:
    """Any stored event of one class, or of any."""
    classes = EVENT_CLASSES if event_class is None else (event_class,)
    return st.builds(
        RecordedEvent,
        originator_id=st.uuids(),
        originator_version=st.integers(1, 2**62),
        at_us=_INT64,
        worker=st.text(max_size=12),
        epoch=st.integers(0, 2**31),
        event=st.sampled_from(classes).flatmap(event_strategy),
        position=st.integers(0, 2**62),
    )


def is_as_declared(value: Any, hint: Any = Event) -> bool:
    """Whether a value, and all in it, has exactly the type that is declared for it."""
    if hint is Event:
        return type(value) in EVENT_CLASSES and is_as_declared(value, type(value))
    if is_dataclass(hint) or hint is RecordedEvent:
        return type(value) is hint and all(
            is_as_declared(getattr(value, name), each) for name, each in _hints(hint).items()
        )
    if get_origin(hint) is tuple:
        item, _ = get_args(hint)
        return type(value) is tuple and all(is_as_declared(each, item) for each in value)
    if get_origin(hint) is Mapping:
        return type(value) is dict and _is_plain(value)
    return type(value) is hint


def _strategy(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _OF_TYPE:
        return _OF_TYPE[hint]
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return st.builds(hint, **{name: _strategy(each) for name, each in _hints(hint).items()})
    if get_origin(hint) is tuple:
        item, _ = get_args(hint)
        return st.lists(_strategy(item), max_size=4).map(tuple)
    if get_origin(hint) is Mapping:
        return _PARAMETERS
    raise AssertionError(f"no strategy for {hint}: add one with the field")


def _hints(declared: Any) -> dict[str, Any]:
    # `Value` names itself, and only in its own module: what is in it is checked apart.
    hints = get_type_hints(declared, localns={"Value": object})
    names = (
        RecordedEvent._fields if declared is RecordedEvent else [f.name for f in fields(declared)]
    )
    return {name: hints[name] for name in names}


def _is_plain(parameters: dict[str, Any]) -> bool:
    waiting: list[Any] = [parameters]
    while waiting:
        item = waiting.pop()
        if type(item) is dict:
            if not all(type(key) is str for key in item):
                return False
            waiting += item.values()
        elif type(item) is list:
            waiting += item
        elif type(item) not in (str, int, float, bytes, bool, type(None)):
            return False
    return True
