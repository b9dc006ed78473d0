"""`sagaledger query`: runs a SELECT over the read models."""

from __future__ import annotations

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.tables import print_csv, print_table
from sagaledger.interface.library.plain_data import plain
from sagaledger.projections import ask

__all__ = ["query_command"]


@click.command()
@click.argument("sql")
@click.option("--json", "form", flag_value="json", help="Print JSON, an object per row.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV, with a line of column names.")
@pass_invocation
def query_command(invocation: Invocation, sql: str, form: str | None) -> int:
    """Answer a SELECT over the read models; see docs/projections.md."""
    with existing_projections(invocation) as projector:
        projector.catch_up()
        assert projector.path is not None
        with ask(projector.path, sql) as answer:
            if form == "csv":
                print_csv(answer.columns, answer.rows)
                return ExitCode.OK
            rows = list(answer.rows)
    if form == "json":
        print_json([dict(zip(answer.columns, row, strict=True)) for row in rows])
    else:
        shown = [["" if value is None else str(plain(value)) for value in row] for row in rows]
        print_table(answer.columns, shown, "no rows")
    return ExitCode.OK
