"""`sagaledger get`: restores a document into a file."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import bytes_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import OutputUnusableError, say
from sagaledger.interface.library.restoring import restore_document

__all__ = ["get_command"]


@click.command()
@click.argument("document")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The file to write; it appears once every byte is checked.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option()
@pass_invocation
def get_command(
    invocation: Invocation, document: str, output: Path, force: bool, as_json: bool
) -> int:
    """Restore DOCUMENT into a file, checked while it is written."""
    _check_output(output, force=force)
    with existing_ledger(invocation) as ledger:
        found = ledger.documents.find(document)
        try:
            restore_document(ledger.documents, found, output)
        except OSError as error:
            raise OutputUnusableError(str(output), error.strerror or str(error)) from error
    if as_json:
        print_json({"document": found, "output": str(output)})
    else:
        say(
            f"restored {found.source_name} to {output}: {bytes_text(found.size_bytes)}, "
            f"sha256 {found.sha256} checked"
        )
    return ExitCode.OK


def _check_output(output: Path, *, force: bool) -> None:
    try:
        if output.is_dir():
            raise OutputUnusableError(str(output), "it is a folder; name a file in it")
        if not output.parent.is_dir():
            raise OutputUnusableError(str(output), f"there is no folder {output.parent}")
        if output.exists() and not output.is_file():
            # Replacing a device or a pipe by a file would take it away from other programs.
            raise OutputUnusableError(str(output), "it is not a regular file")
        if os.path.lexists(output) and not force:
            raise OutputUnusableError(str(output), "it exists; give --force to replace it")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise OutputUnusableError(str(output), cause) from error
