"""The page of every public name of the library, from its signature and docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from types import ModuleType
from typing import Any

import sagaledger

from reference.markdown import attribute_docs, described, table

__all__ = ["library_page", "names_of"]

_INTRODUCTION = """\
# The library

Every name that `from sagaledger import …` gives. Names that begin with an underscore, and modules
below `sagaledger` that this page does not list, may change with any version. This page is made from
the code (`nox -s reference`)."""


def library_page() -> str:
    """The page, as Markdown."""
    return "\n".join([_INTRODUCTION, "", *names_of(sagaledger)]).rstrip() + "\n"


def names_of(module: ModuleType) -> Iterator[str]:
    """Every public name of a module: functions, errors, classes, and what else there is."""
    kinds: dict[str, Callable[[object], bool]] = {
        "Functions": inspect.isfunction,
        "Errors": _is_error,
        "Classes": inspect.isclass,
        "Other names": lambda _: True,
    }
    left = {name: getattr(module, name) for name in module.__all__}
    for title, belongs in kinds.items():
        chosen = {name: value for name, value in left.items() if belongs(value)}
        left = {name: value for name, value in left.items() if name not in chosen}
        if chosen:
            yield from (f"## {title}", "")
        for name, value in chosen.items():
            if inspect.isfunction(value):
                yield from _function(name, value, 3)
            elif inspect.isclass(value):
                yield from _class(name, value)
            else:
                yield from (f"### `{name}`", "", "A name for a type.", "")


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


def _function(name: str, function: Any, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name.rpartition('.')[2]}`"
    yield ""
    yield from ("```python", f"{name}{_signature(function)}", "```", "")
    yield from described(inspect.getdoc(function))
    yield ""


class _Verbatim:
    """An annotation that is text already, and is shown without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_verbatim(parameter.annotation))
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    returned = _verbatim(signature.return_annotation)
    text = str(signature.replace(parameters=parameters, return_annotation=returned))
    return re.sub(r"<function (?:\w+\.)*([\w<>]+) at 0x\w+>", r"\1", text)


def _verbatim(annotation: object) -> object:
    return _Verbatim(annotation) if isinstance(annotation, str) else annotation


def _class(name: str, cls: type) -> Iterator[str]:
    yield f"### `{name}`"
    yield ""
    bases = [base.__name__ for base in cls.__bases__ if base.__module__.startswith("sagaledger")]
    if bases:
        yield from (f"A kind of {', '.join(f'`{base}`' for base in bases)}.", "")
    is_port = getattr(cls, "_is_protocol", False)
    if not is_port and not issubclass(cls, Enum | Exception):
        yield from ("```python", f"{name}{_signature(cls)}", "```", "")
    yield from described(inspect.getdoc(cls))
    yield ""
    yield from _fields(cls)
    for member, value in vars(cls).items():
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            yield from (f"#### `{member}`", "", *described(inspect.getdoc(value)), "")
        elif isinstance(value, staticmethod | classmethod):
            yield from _function(f"{name}.{member}", getattr(cls, member), 4)
        elif inspect.isfunction(value) and not (is_dataclass(cls) and member in _names(cls)):
            yield from _function(f"{name}.{member}", value, 4)


def _names(cls: Any) -> set[str]:
    return {field.name for field in fields(cls)}


def _fields(cls: Any) -> Iterator[str]:
    docs = attribute_docs(cls)
    if issubclass(cls, Enum):
        rows = [(f"`{m.name}`", f"`{m.value!r}`", docs.get(m.name, "")) for m in cls]
        yield from (*table(("member", "value", "meaning"), rows), "")
    elif is_dataclass(cls):
        rows = [
            (f"`{field.name}`", f"`{field.type}`", docs.get(field.name, ""))
            for field in fields(cls)
            if not field.name.startswith("_")
        ]
        yield from (*table(("field", "type", "meaning"), rows), "")
