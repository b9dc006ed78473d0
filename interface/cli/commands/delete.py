"""`sagaledger delete`: deletes a document from every store."""

from __future__ import annotations

import click
from sagaledger.interface.cli.exit_codes import code_of_result
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import duration_text
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say, warn

__all__ = ["delete_command"]


@click.command()
@click.argument("document")
@json_option()
@pass_invocation
def delete_command(invocation: Invocation, document: str, as_json: bool) -> int:
    """Delete DOCUMENT from every store, checked and recorded."""
    with existing_ledger(invocation) as ledger:
        found = ledger.documents.find(document)
        result = ledger.delete(found)
    if as_json:
        print_json(result)
    elif result.success:
        removed = ", ".join(
            f"{step} {output['removed']!r}"
            for step, output in result.outputs.items()
            if "removed" in output
        )
        seconds = duration_text(sum(result.timings_s.values()))
        say(f"deleted {found.document_id} in {seconds}; removed: {removed}")
    else:
        warn(
            f"{found.document_id} is hidden, but not completely removed yet; "
            f"`sagaledger recover` continues: {'; '.join(result.errors)}"
        )
    return code_of_result(result)
