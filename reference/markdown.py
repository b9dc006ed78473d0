"""Markdown from docstrings: sentences as they are, sections as lists."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator

__all__ = ["attribute_docs", "described", "table"]

_SECTION = re.compile(r"^(Args|Raises|Returns|Yields|Attributes):$")
_ENTRY = re.compile(r"^ {4}([\w.*]+): (.*)$")


def described(doc: str | None) -> Iterator[str]:
    """The lines of a docstring, with `Args:`, `Raises:` and the like as lists."""
    section = ""
    for line in inspect.cleandoc(doc or "").splitlines():
        if started := _SECTION.match(line):
            section = started[1]
            yield from (f"**{section}**", "")
        elif section and (entry := _ENTRY.match(line)):
            yield f"- `{entry[1]}`: {entry[2]}"
        elif section and line.startswith(" "):
            yield f"  {line.strip()}"
        else:
            section = section if not line else ""
            yield line


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table."""
    names = list(heads)
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def attribute_docs(cls: type) -> dict[str, str]:
    """What stands in a string below each attribute of a class, by the attribute's name."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for attribute, below in zip(tree.body, tree.body[1:], strict=False):
        match attribute, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(doc))),
            ):
                docs[name] = " ".join(doc.split())
            case _:
                pass
    return docs


def _cell(text: str) -> str:
    """The text on one line, with what would end a cell escaped."""
    return " ".join(text.replace("|", "\\|").split())
