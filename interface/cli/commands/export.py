"""`sagaledger export`: the read models as files for other programs."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.projection_access import existing_projections
from sagaledger.interface.cli.render.figures import bytes_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import OutputUnusableError
from sagaledger.interface.cli.render.tables import print_table
from sagaledger.interface.library.plain_data import plain
from sagaledger.projections import Exported, ExportFormat, export_tables, exportable_tables

__all__ = ["export_command"]


def _known_tables(
    _context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    known = exportable_tables()
    for name in names:
        if name not in known:
            raise click.BadParameter(f"no table {name!r}; there are {', '.join(sorted(known))}")
    return tuple(dict.fromkeys(names))


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in ExportFormat]),
    required=True,
    help="parquet needs the extra: pip install 'sagaledger[export]'.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    callback=_known_tables,
    help="Only this table; repeatable.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder for the files; created if it is missing.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@json_option()
@pass_invocation
def export_command(
    invocation: Invocation,
    form: str,
    tables: tuple[str, ...],
    folder: Path,
    force: bool,
    as_json: bool,
) -> int:
    """Write the read models to a file per table, from one snapshot."""
    chosen = ExportFormat(form)
    with existing_projections(invocation) as projector:
        projector.catch_up()
        assert projector.path is not None
        try:
            _check(folder, chosen, tables, force=force)
            written = export_tables(projector.path, folder, chosen, tables)
        except OSError as error:
            raise OutputUnusableError(str(folder), error.strerror or str(error)) from error
    _print(written, as_json)
    return ExitCode.OK


def _check(folder: Path, form: ExportFormat, tables: tuple[str, ...], *, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputUnusableError(str(folder), "it is not a folder")
    for name in tables or exportable_tables():
        path = folder / f"{name}.{form}"
        if path.exists() and not path.is_file():
            # Replacing a device or a pipe by a file would take it away from other programs.
            raise OutputUnusableError(str(path), "it is not a regular file")
        if os.path.lexists(path) and not force:
            raise OutputUnusableError(str(path), "it exists; --force replaces it")


def _print(written: list[Exported], as_json: bool) -> None:
    if as_json:
        print_json([{**plain(file), "path": str(file.path)} for file in written])
        return
    print_table(
        ("FILE", "ROWS", "SIZE"),
        [(str(f.path), f"{f.rows:,}", bytes_text(f.size_bytes)) for f in written],
        "",
    )
