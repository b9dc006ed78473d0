"""The list of commands says of each what the command says of itself."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import click
import pytest
from sagaledger.interface.cli import commands
from sagaledger.interface.cli.command_group import command_group

CONTEXT = click.Context(command_group)
NAMES = command_group.list_commands(CONTEXT)
WIDE = 200


def test_every_command_of_the_package_is_listed() -> None:
    listed = [command_group.get_command(CONTEXT, name) for name in NAMES]
    defined = {
        id(command)
        for module in pkgutil.iter_modules(commands.__path__)
        for command in vars(
            import_module(f"sagaledger.interface.cli.commands.{module.name}")
        ).values()
        if isinstance(command, click.Command)
    }
    within = {
        id(inner)
        for command in listed
        if isinstance(command, click.Group)
        for inner in command.commands.values()
    }

    assert defined - within == {id(command) for command in listed}


@pytest.mark.parametrize("name", NAMES)
def test_summary_is_the_command_s_own(name: str) -> None:
    command = command_group.get_command(CONTEXT, name)
    assert command is not None
    formatter = click.HelpFormatter(width=WIDE)

    command_group.format_commands(CONTEXT, formatter)

    assert command.name == name
    lines = [line.split(maxsplit=1) for line in formatter.getvalue().splitlines()]
    assert [name, command.get_short_help_str(WIDE)] in lines


def test_unknown_command_is_none_of_them() -> None:
    assert command_group.get_command(CONTEXT, "ingests") is None


def test_help_imports_no_store_and_no_other_command() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['sagaledger', '--help']\n"
        "from sagaledger.interface.cli.app import main\n"
        "assert main() == 0\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    imported = set(done.stderr.split())
    assert "Commands:" in done.stdout
    assert not imported & {"sqlite3", "sqlalchemy", "ladybug", "eventsourcing", "msgpack"}
    assert not {m for m in imported if ".cli.commands." in m}
