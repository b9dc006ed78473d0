"""The commands: each is the module of its name, which help does not import.

A command `x` is `x_command` in the module `commands/x.py`, and one line here.
"""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["Subcommands", "placeholders"]

_SUMMARIES = {
    "alerts": "List what needs a person; see docs/operations.md.",
    "cancel": "Roll a running SAGA back, wherever it runs.",
    "certify": "Break every call in every way, and check what is left.",
    "config": "Show the configuration, or try it out; see docs/operations.md.",
    "delete": "Delete DOCUMENT from every store, checked and recorded.",
    "export": "Write the read models to a file per table, all as of one moment.",
    "get": "Restore DOCUMENT into a file, checked while it is written.",
    "ingest": "Bring files in: all of each, or nothing.",
    "list": "List committed documents, or all sagas, newest first.",
    "orphans": "List what rollbacks could not remove, or decide about it.",
    "pause": "Stop SAGA where it is, undoing nothing.",
    "plan": "Show what a rollback of SAGA would do; changes nothing.",
    "project": "Bring the read models up to date, and say how far they are.",
    "query": "Answer a SELECT over the read models; see docs/projections.md.",
    "recover": "Bring every saga that an ended process left open to its end.",
    "resume": "Let a paused, stopped or parked SAGA go on, here.",
    "rollback": "Roll an open SAGA back, or take a failed rollback up again.",
    "sagas": "List sagas and where they stand, newest first.",
    "search": "Find the passages nearest to WORDS, with their score.",
    "show": "Show the history of a saga, or of every saga about a document.",
    "stats": "Show what became of the sagas, and of their rollbacks.",
    "sweep": "Remove what rollbacks and late writers left, and record it.",
    "top": "Watch the sagas at work, until Ctrl-C.",
    "verify": "Read DOCUMENT again, check its signature, and ask each store.",
}
"""The first line of each command's own help, told without importing it."""


def placeholders() -> dict[str, click.Command]:
    """By its name, what stands for a command that is not imported yet: its summary only."""
    return {
        name: click.Command(name, short_help=summary)
        for name, summary in sorted(_SUMMARIES.items())
    }


class Subcommands(click.Group):
    """A group of placeholders that imports a command when it is asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the base class says so
        """The command of a name, imported now; None if there is none."""
        if cmd_name not in _SUMMARIES:
            return None
        module = import_module(f"sagaledger.interface.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the base class says so
        """Write the summary of each, from its placeholder."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.short_help or "") for name, command in self.commands.items()]
            )
