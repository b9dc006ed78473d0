"""`sagaledger verify`: reads a document back and compares it with the log."""

from __future__ import annotations

from collections.abc import Sequence

import click
from sagaledger.application.documents.chunk_damage import chunk_damage
from sagaledger.application.documents.reading import StoreCount
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import json_option
from sagaledger.interface.cli.render.figures import bytes_text, counted
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say, warn

__all__ = ["verify_command"]


@click.command()
@click.argument("document")
@json_option()
@pass_invocation
def verify_command(invocation: Invocation, document: str, as_json: bool) -> int:
    """Read DOCUMENT again, check its signature, and count its items."""
    with existing_ledger(invocation) as ledger:
        found = ledger.documents.find(document)
        verification = ledger.documents.verify(found)
        verdict = verification.verdict
        damage = (
            chunk_damage(ledger.services, found) if isinstance(verdict, IntegrityFailed) else []
        )
    if as_json:
        holds = verification.holds
        print_json({"holds": holds, "verification": verification, "damage": damage})
        return ExitCode.OK if holds else ExitCode.INTEGRITY
    if isinstance(verdict, IntegrityFailed):
        warn(
            f"{found.document_id}: integrity check '{verdict.check}' failed: expected "
            f"{verdict.expected}, found {verdict.actual} ({verdict.detail})"
        )
        for line in damage:
            warn(f"  {line}")
    else:
        say(
            f"{found.document_id}: {counted(verdict.chunk_count, 'chunk')}, "
            f"{bytes_text(verdict.size_bytes)} read back from "
            f"{verdict.read_from}; sha256 {found.sha256} matches"
        )
    tell = say if verification.signature == "valid" else warn
    tell(f"signature: {verification.signature}")
    _print_counts(verification.stores)
    return ExitCode.OK if verification.holds else ExitCode.INTEGRITY


def _print_counts(counts: Sequence[StoreCount]) -> None:
    for count in counts:
        if count.found != count.expected:
            held = f"{count.found:,} of {counted(count.expected, 'item')}"
            advice = "delete the document and ingest it again"
            warn(f"{count.store} store: it holds {held}; {advice}")
    say("stores: " + ", ".join(f"{count.store} {count.found:,}" for count in counts))
