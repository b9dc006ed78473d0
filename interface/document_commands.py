"""Commands about committed documents: list, get, verify, search, delete."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from sagaledger.domain.events import IntegrityFailed
from sagaledger.domain.store_ports import DocumentRecord
from sagaledger.interface.exit_codes import ExitCode, code_of_result
from sagaledger.interface.ledger import Ledger, open_ledger
from sagaledger.interface.output import (
    bytes_text,
    duration_text,
    print_json,
    print_table,
    time_text,
)

__all__ = ["DOCUMENT_COMMANDS"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_EXCERPT_CHARS = 200


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Every saga, not only documents.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True)
@_json
@click.pass_obj
def list_documents(data: Path, everything: bool, limit: int, as_json: bool) -> int:
    """List committed documents, or all sagas, newest first."""
    with open_ledger(data) as ledger:
        if everything:
            sagas = ledger.directory.all_sagas(limit)
            if as_json:
                print_json(sagas)
                return ExitCode.OK
            print_table(
                ("SAGA", "DEFINITION", "STATUS", "STEP", "STARTED (UTC)", "REASON", "SOURCE"),
                [
                    (
                        saga.saga_id.hex[:12],
                        saga.definition,
                        f"{saga.status.value}{' (paused)' if saga.paused else ''}",
                        saga.step,
                        time_text(saga.started_us),
                        saga.reason or "-",
                        saga.source,
                    )
                    for saga in sagas
                ],
                "no sagas",
            )
            return ExitCode.OK
        documents = ledger.services.relational.documents(limit)
    if as_json:
        print_json(documents)
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


@click.command()
@click.argument("document")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace an existing file.")
@_json
@click.pass_obj
def get(data: Path, document: str, output: Path, force: bool, as_json: bool) -> int:
    """Restore DOCUMENT into a file, checked while it is written."""
    if output.exists() and not force:
        raise click.UsageError(f"{output} exists; give --force to replace it")
    with open_ledger(data) as ledger:
        found = ledger.documents.find(document)
        try:
            _restore(ledger, found, output)
        except OSError as error:
            raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
    if as_json:
        print_json({"document": found, "output": str(output)})
    else:
        sys.stdout.write(
            f"restored {found.source_name} to {output}: {bytes_text(found.size_bytes)}, "
            f"sha256 {found.sha256} checked\n"
        )
    return ExitCode.OK


def _restore(ledger: Ledger, document: DocumentRecord, output: Path) -> None:
    # The name appears only once every byte is checked and on disk.
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with partial.open("xb") as file:
            for block in ledger.documents.content(document):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


@click.command()
@click.argument("document")
@_json
@click.pass_obj
def verify(data: Path, document: str, as_json: bool) -> int:
    """Read every chunk of DOCUMENT again, and check its signature."""
    with open_ledger(data) as ledger:
        found = ledger.documents.find(document)
        verification = ledger.documents.verify(found)
    if as_json:
        print_json({"holds": verification.holds, "verification": verification})
    elif isinstance(verification.verdict, IntegrityFailed):
        verdict = verification.verdict
        sys.stdout.write(
            f"{found.document_id}: integrity check '{verdict.check}' failed: expected "
            f"{verdict.expected}, found {verdict.actual} ({verdict.detail})\n"
        )
    else:
        sys.stdout.write(
            f"{found.document_id}: {verification.verdict.chunk_count} chunks, "
            f"{bytes_text(verification.verdict.size_bytes)} read back from "
            f"{verification.verdict.read_from}; sha256 {found.sha256} holds\n"
        )
    if not as_json:
        sys.stdout.write(f"signature: {verification.signature}\n")
    return ExitCode.OK if verification.holds else ExitCode.INTEGRITY


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option("--embedder", default="hashing", show_default=True)
@_json
@click.pass_obj
def search(data: Path, words: tuple[str, ...], limit: int, embedder: str, as_json: bool) -> int:
    """Find the passages of committed documents that are nearest to WORDS."""
    from sagaledger.infrastructure.embedders import EMBEDDER_NAMES

    if embedder not in EMBEDDER_NAMES:
        raise click.UsageError(f"no embedder {embedder!r}; there are {', '.join(EMBEDDER_NAMES)}")
    with open_ledger(data, embedder=embedder) as ledger:
        hits = ledger.documents.search(" ".join(words), limit)
    if as_json:
        print_json(hits)
        return ExitCode.OK
    for hit in hits:
        excerpt = hit.text[:_EXCERPT_CHARS]
        sys.stdout.write(
            f"{hit.score:.3f}  {hit.source_name}, page {hit.page}  ({hit.document_id})\n"
            f"       {excerpt}{'…' if len(hit.text) > _EXCERPT_CHARS else ''}\n"
        )
    if not hits:
        sys.stdout.write("nothing found\n")
    return ExitCode.OK


@click.command()
@click.argument("document")
@_json
@click.pass_obj
def delete(data: Path, document: str, as_json: bool) -> int:
    """Delete DOCUMENT from every store, checked and recorded."""
    with open_ledger(data) as ledger:
        found = ledger.documents.find(document)
        result = ledger.delete(found)
    if as_json:
        print_json(result)
        return code_of_result(result)
    if result.success:
        removed = ", ".join(
            f"{step} {output['removed']!r}"
            for step, output in result.outputs.items()
            if "removed" in output
        )
        seconds = duration_text(sum(result.timings_s.values()))
        sys.stdout.write(f"deleted {found.document_id} in {seconds}; removed: {removed}\n")
    else:
        sys.stdout.write(
            f"{found.document_id} is hidden, but not all of it is removed yet; "
            f"`sagaledger recover` goes on: {'; '.join(result.errors)}\n"
        )
    return code_of_result(result)


DOCUMENT_COMMANDS = (list_documents, get, verify, search, delete)
