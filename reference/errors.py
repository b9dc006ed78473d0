"""The page of exit codes: what each means, and which errors lead to it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import sagaledger
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.cli.command_group import command_group
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_error

from reference.markdown import table

__all__ = ["exit_codes_page"]

_INTRODUCTION = """\
# Exit codes and errors

A code, once given, keeps its meaning. Of several files or sagas the highest code is the command's.
Every error of the library is a `SagaledgerError`; the table says with which code a command answers
it. This page is made from the code (`nox -s reference`)."""


def exit_codes_page() -> str:
    """The page, as Markdown."""
    meanings = dict(re.findall(r"(\d+) ([a-z]+(?: [a-z]+)*)", command_group.epilog or ""))
    rows = [(str(int(code)), f"`{code.name}`", meanings[str(int(code))]) for code in ExitCode]
    lines = [_INTRODUCTION, "", *table(("code", "name", "meaning"), rows), "", "## Errors", ""]
    lines += table(("error", "code", "meaning"), _errors())
    return "\n".join(lines).rstrip() + "\n"


def _errors() -> Iterator[tuple[str, str, str]]:
    for error in sorted(set(_subclasses(SagaledgerError)), key=lambda e: e.__name__):
        # Which code an error leads to depends on its class alone.
        code = code_of_error(error.__new__(error))
        about = (inspect.getdoc(error) or "").partition("\n\n")[0]
        yield f"`{error.__name__}`", str(int(code)), about


def _subclasses(error: type[Exception]) -> Iterator[type[Exception]]:
    for package in walk_packages(sagaledger.__path__, "sagaledger."):
        if package.name.endswith(".errors"):
            import_module(package.name)
    for below in error.__subclasses__():
        if not below.__name__.startswith("_"):
            yield below
        yield from _subclasses(below)
