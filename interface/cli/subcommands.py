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
    "certify": "Break every call in every way, and check the guarantees.",
    "config": "Show the configuration, or check it; see docs/operations.md.",
    "delete": "Delete DOCUMENT from every store, checked and recorded.",
    "export": "Write the read models to a file per table, from one snapshot.",
    "get": "Restore DOCUMENT into a file, checked while it is written.",
    "ingest": "Ingest files: each as a whole, or not at all.",
    "list": "List committed documents, or all sagas, newest first.",
    "orphans": "List what rollbacks could not remove, or decide about it.",
    "pause": "Stop SAGA at its next checkpoint; undo nothing.",
    "plan": "Show what a rollback of SAGA would do; changes nothing.",
    "project": "Bring the read models up to date, and show their positions.",
    "query": "Answer a SELECT over the read models; see docs/projections.md.",
    "recover": "Drive every open saga of an ended process to its end.",
    "resume": "Resume a paused, stopped or parked SAGA here.",
    "rollback": "Roll an open SAGA back, or retry a failed rollback.",
    "sagas": "List sagas and their status, newest first.",
    "search": "Find the passages nearest to WORDS, with their score.",
    "show": "Show the history of a saga, or of every saga about a document.",
    "stats": "Show the outcomes of sagas and of their rollbacks.",
    "sweep": "Remove residue of rollbacks and late writers, and record it.",
    "top": "Watch the running sagas, until Ctrl-C.",
    "verify": "Read DOCUMENT again, check its signature, and count its items.",
}
"""The first line of each command's help, available without importing the command."""


def placeholders() -> dict[str, click.Command]:
    """Placeholders by name for commands that are not imported yet; each has only a summary."""
    return {
        name: click.Command(name, short_help=summary)
        for name, summary in sorted(_SUMMARIES.items())
    }


class Subcommands(click.Group):
    """A group of placeholders that imports a command on first use."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the base class says so
        """Import the command with this name; None if it does not exist."""
        if cmd_name not in _SUMMARIES:
            return None
        module = import_module(f"sagaledger.interface.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the base class says so
        """Write the summary of each command, from its placeholder."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.short_help or "") for name, command in self.commands.items()]
            )
