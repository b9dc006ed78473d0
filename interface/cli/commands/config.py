"""`sagaledger config`: what holds, where it comes from, and whether it works."""

from __future__ import annotations

import click
from sagaledger.interface.bootstrap.settings import Settings, shown_value
from sagaledger.interface.cli.command_group import current_invocation
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.output import print_json, print_table, warn

__all__ = ["config"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def config() -> None:
    """Show the configuration, or try it out; see docs/operations.md."""


@config.command()
@_json
def show(as_json: bool) -> int:
    """Show every setting and where it comes from, without secrets."""
    from sagaledger.interface.bootstrap.sources import unknown_variables

    settings = current_invocation().settings()
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


@config.command()
@_json
def check(as_json: bool) -> int:
    """Open each part, write a probe, read it and delete it."""
    from sagaledger.interface.bootstrap.checking import check_parts

    settings = current_invocation().settings()
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
    """Refuse what only shows once the values are put together."""
    settings.ingestion()
