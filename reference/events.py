"""The page of every event: its stored name, its fields in the order in which they are stored."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields

from sagaledger.infrastructure.event_store.event_types import EVENT_TYPES

from reference.markdown import attribute_docs, described, table

__all__ = ["events_page"]

_INTRODUCTION = """\
# Events

Every fact in the event log, under the name and version that it is stored with. A stored name never
changes its meaning; a new shape gets the next version, and old events are read through an upcaster
([decision 2](../decisions/0002-event-log.md)). The fields are stored by position, in this order,
after `at_us` (µs since 1970 UTC), `worker` and `epoch`. This page is made from the events' own
classes (`nox -s reference`)."""


def events_page() -> str:
    """The page, as Markdown."""
    lines = [_INTRODUCTION, ""]
    room = ""
    for name, event_class in EVENT_TYPES.classes.items():
        theirs = event_class.__module__.split(".")[-2]
        if theirs != room:
            room = theirs
            lines += [f"## Events of {_rooms[room]}", ""]
        lines += _event(name, event_class)
    older = sorted(EVENT_TYPES.names - set(EVENT_TYPES.classes))
    if older:
        lines += ["## Older versions that are still read", "", *(f"- `{name}`" for name in older)]
    return "\n".join(lines).rstrip() + "\n"


_rooms = {
    "document": "a document",
    "history": "a step of a user",
    "housekeeping": "housekeeping",
    "saga": "a saga",
    "upload": "an upload",
}


def _event(name: str, event_class: type) -> Iterator[str]:
    yield from (f"### {event_class.__name__}", "", f"Stored as `{name}`.", "")
    yield from described(inspect.getdoc(event_class))
    yield ""
    docs = attribute_docs(event_class)
    rows = [(f"`{f.name}`", f"`{f.type}`", docs.get(f.name, "")) for f in fields(event_class)]
    if rows:
        yield from table(("field", "type", "meaning"), rows)
        yield ""
