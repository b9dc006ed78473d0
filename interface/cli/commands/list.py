"""`sagaledger list`: the committed documents, or all sagas."""

from __future__ import annotations

from collections.abc import Sequence

import click
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option, limit_option
from sagaledger.interface.cli.render.figures import bytes_text, time_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.sagas import print_sagas
from sagaledger.interface.cli.render.tables import print_table

__all__ = ["list_command"]


@click.command()
@click.option("--all", "everything", is_flag=True, help="List all sagas instead of documents.")
@limit_option()
@json_option()
@pass_invocation
def list_command(invocation: Invocation, everything: bool, limit: int, as_json: bool) -> int:
    """List committed documents, or all sagas, newest first."""
    with existing_ledger(invocation) as ledger:
        if everything:
            sagas = ledger.directory.all_sagas(limit)
        else:
            documents = ledger.services.relational.documents(limit)
    if as_json:
        print_json(sagas if everything else documents)
    elif everything:
        print_sagas(sagas)
    else:
        _print_documents(documents)
    return ExitCode.OK


def _print_documents(documents: Sequence[DocumentRecord]) -> None:
    print_table(
        ("DOCUMENT", "SIZE", "CHUNKS", "PASSAGES", "CLASSIFICATION", "CREATED (UTC)", "NAME"),
        [
            (
                document.document_id,
                bytes_text(document.size_bytes),
                str(document.chunk_count),
                str(document.passage_count),
                document.classification,
                time_text(document.created_us),
                document.source_name,
            )
            for document in documents
        ],
        "no documents",
    )
