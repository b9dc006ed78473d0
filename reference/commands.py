"""The page of every command and option, from what the commands themselves declare."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from sagaledger.interface.cli.command_group import command_group

from reference.markdown import described, table

__all__ = ["commands_page"]

_INTRODUCTION = """\
# Commands and options

Options of `sagaledger` itself stand before the command, those of a command after it. Ids may be
shortened. [Exit codes](exit-codes.md) have a page of their own. This page is made from the commands
(`nox -s reference`)."""


def commands_page() -> str:
    """The page, as Markdown."""
    context = click.Context(command_group, info_name="sagaledger")
    lines = [_INTRODUCTION, "", *_command(command_group, context, 2)]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{context.command_path}`"
    yield ""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```text", f"{context.command_path} {usage}".rstrip(), "```", "")
    yield from described(inspect.cleandoc(command.help or "").replace("\b\n", ""))
    yield ""
    options = [row for row in (p.get_help_record(context) for p in command.params) if row]
    if options:
        yield from table(("option", "meaning"), ((f"`{name}`", text) for name, text in options))
        yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            within = click.Context(inner, info_name=name, parent=context)
            yield from _command(inner, within, min(level + 1, 3))
