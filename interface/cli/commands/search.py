"""`sagaledger search`: finds passages by their words."""

from __future__ import annotations

import click
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import existing_ledger
from sagaledger.interface.cli.options import (
    embedder_flag,
    embedder_option,
    json_option,
    limit_option,
)
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import say

__all__ = ["search_command"]

_EXCERPT_CHARS = 200
_LEAST_SCORE = 0.0005
"""A score that would be shown as 0.000 is no match."""


@click.command()
@click.argument("words", nargs=-1, required=True)
@limit_option("How many passages at most.", default=5, most=1000)
@embedder_option("The embedder of the documents, if the data folder does not name it.")
@json_option()
@pass_invocation
def search_command(
    invocation: Invocation, words: tuple[str, ...], limit: int, embedder: str | None, as_json: bool
) -> int:
    """Find the passages nearest to WORDS, with their score.

    A score is the cosine of two vectors: 1 for the same words, 0 for nothing in common.
    """
    wanted = " ".join(words)
    if not wanted.strip():
        raise click.UsageError("there is no word to search for")
    with existing_ledger(invocation, embedder_flag(embedder)) as ledger:
        hits = [h for h in ledger.documents.search(wanted, limit) if h.score >= _LEAST_SCORE]
    if as_json:
        print_json(hits)
        return ExitCode.OK
    for hit in hits:
        excerpt = hit.text[:_EXCERPT_CHARS]
        say(f"{hit.score:.3f}  {hit.source_name}, page {hit.page}  ({hit.document_id})")
        say(f"       {excerpt}{'…' if len(hit.text) > _EXCERPT_CHARS else ''}")
    if not hits:
        say("nothing found")
    return ExitCode.OK
