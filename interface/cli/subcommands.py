"""The subcommands, and where each is: a command imports what it needs itself, and help nothing."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

__all__ = ["Subcommands", "placeholders"]


class _Home(NamedTuple):
    module: str
    attribute: str
    summary: str
    """The first line of the command's own help, told without importing it."""


_HOMES = {
    "alerts": _Home("alerts", "alerts", "List what needs a person; see docs/operations.md."),
    "cancel": _Home("saga_commands", "cancel", "Roll a running SAGA back, wherever it runs."),
    "certify": _Home(
        "certify", "certify", "Break every call in every way, and check what is left."
    ),
    "config": _Home(
        "config", "config", "Show the configuration, or try it out; see docs/operations.md."
    ),
    "delete": _Home(
        "document_commands", "delete", "Delete DOCUMENT from every store, checked and recorded."
    ),
    "export": _Home(
        "export",
        "export",
        "Write the read models to a file per table, all as of one moment.",
    ),
    "get": _Home(
        "document_commands", "get", "Restore DOCUMENT into a file, checked while it is written."
    ),
    "ingest": _Home("ingest", "ingest", "Bring files in: all of each, or nothing."),
    "list": _Home(
        "document_commands",
        "list_documents",
        "List committed documents, or all sagas, newest first.",
    ),
    "orphans": _Home(
        "orphans", "orphans", "List what rollbacks could not remove, or decide about it."
    ),
    "pause": _Home("saga_commands", "pause", "Stop SAGA where it is, undoing nothing."),
    "plan": _Home("sagas", "plan", "Show what a rollback of SAGA would do; changes nothing."),
    "project": _Home(
        "project", "project", "Bring the read models up to date, and say how far they are."
    ),
    "query": _Home(
        "query", "query", "Answer a SELECT over the read models; see docs/projections.md."
    ),
    "recover": _Home(
        "saga_commands",
        "recover_sagas",
        "Bring every saga that an ended process left open to its end.",
    ),
    "resume": _Home(
        "saga_commands", "resume", "Let a paused, stopped or set-aside SAGA go on, here."
    ),
    "rollback": _Home(
        "saga_commands", "rollback", "Roll an open SAGA back, or take a failed rollback up again."
    ),
    "sagas": _Home("sagas", "sagas", "List sagas and where they stand, newest first."),
    "search": _Home(
        "document_commands", "search", "Find the passages nearest to WORDS, with their score."
    ),
    "show": _Home("show", "show", "Show the history of a saga, or of every saga about a document."),
    "stats": _Home("stats", "stats", "Show what became of the sagas, and of their rollbacks."),
    "sweep": _Home("sweep", "sweep", "Remove what rollbacks and late writers left, and record it."),
    "top": _Home("top", "top", "Watch the sagas at work, until Ctrl-C."),
    "verify": _Home(
        "document_commands",
        "verify",
        "Read DOCUMENT again, check its signature, and ask each store.",
    ),
}


def placeholders() -> dict[str, click.Command]:
    """By its name, what stands for a command that is not imported yet: its summary only."""
    return {
        name: click.Command(name, short_help=home.summary) for name, home in sorted(_HOMES.items())
    }


class Subcommands(click.Group):
    """A group of placeholders that imports a command when it is asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the base class says so
        """The command of a name, imported now; None if there is none."""
        home = _HOMES.get(cmd_name)
        if home is None:
            return None
        module = import_module(f"sagaledger.interface.cli.commands.{home.module}")
        command: click.Command = getattr(module, home.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the base class says so
        """Write the summary of each, from its placeholder."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.short_help or "") for name, command in self.commands.items()]
            )
