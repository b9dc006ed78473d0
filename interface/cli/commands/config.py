"""`sagaledger config`: the settings, their sources, and whether they work."""

from __future__ import annotations

import click
from sagaledger.interface.bootstrap.settings import Settings, shown_value
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import warn
from sagaledger.interface.cli.render.tables import print_table

__all__ = ["config_command"]


@click.group()
def config_command() -> None:
    """Show the configuration, or check it; see docs/operations.md."""


@config_command.command()
@json_option()
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> int:
    """Show every setting with its source, without secrets."""
    from sagaledger.interface.bootstrap.sources import unknown_variables

    settings = invocation.settings()
    shown = [(s, shown_value(s)) for _, s in sorted(settings.values.items())]
    if as_json:
        print_json([{"key": s.key, "value": value, "source": s.source} for s, value in shown])
    else:
        table = [(s.key, _text(value), s.source) for s, value in shown]
        print_table(("KEY", "VALUE", "FROM"), table, "no settings")
        _check_values(settings)
        for name in unknown_variables():
            warn(f"{name} is not a setting; a misspelt one?")
    return ExitCode.OK


@config_command.command()
@json_option()
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> int:
    """Open each part, write a probe, read it and delete it."""
    from sagaledger.interface.bootstrap.checking import check_parts

    settings = invocation.settings()
    _check_values(settings)
    done = list(check_parts(settings))
    if as_json:
        print_json(done)
    else:
        rows = [(c.key, c.value, "ok" if c.is_ok else "FAILED", c.detail) for c in done]
        print_table(("PART", "VALUE", "RESULT", "DETAIL"), rows, "no parts")
    return ExitCode.OK if all(c.is_ok for c in done) else ExitCode.FAILED


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def _check_values(settings: Settings) -> None:
    """Check the settings that are valid only in combination."""
    settings.ingestion()
