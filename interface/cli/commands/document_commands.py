"""Commands about committed documents: list, get, verify, search, delete."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import click
from sagaledger.application.documents.reading import StoreCount
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.upload.chunking import chunk_key
from sagaledger.domain.upload.events import IntegrityFailed
from sagaledger.interface.cli.commands.sagas import print_sagas
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_result
from sagaledger.interface.cli.ledger_access import embedder_option, existing_ledger
from sagaledger.interface.cli.output import (
    OutputUnusableError,
    bytes_text,
    counted,
    duration_text,
    print_json,
    print_table,
    say,
    time_text,
    warn,
)
from sagaledger.interface.library.ledger import Ledger

__all__ = ["DOCUMENT_COMMANDS"]

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_EXCERPT_CHARS = 200
_MAX_LISTED = 1_000_000
_LEAST_SCORE = 0.0005
"""What would be shown as 0.000 has nothing in common with the words."""


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Every saga, not only documents.")
@click.option(
    "--limit",
    type=click.IntRange(1, _MAX_LISTED),
    default=1000,
    show_default=True,
    help="How many at most.",
)
@_json
@click.pass_obj
def list_documents(data: Path, everything: bool, limit: int, as_json: bool) -> int:
    """List committed documents, or all sagas, newest first."""
    with existing_ledger(data) as ledger:
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
@_json
@click.pass_obj
def get(data: Path, document: str, output: Path, force: bool, as_json: bool) -> int:
    """Restore DOCUMENT into a file, checked while it is written."""
    _check_output(output, force=force)
    with existing_ledger(data) as ledger:
        found = ledger.documents.find(document)
        try:
            _restore(ledger, found, output)
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
            # To put a file in the place of a device or a pipe would take it from everybody.
            raise OutputUnusableError(str(output), "it is not a regular file")
        if os.path.lexists(output) and not force:
            raise OutputUnusableError(str(output), "it exists; give --force to replace it")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise OutputUnusableError(str(output), cause) from error


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
    """Read DOCUMENT again, check its signature, and ask each store."""
    with existing_ledger(data) as ledger:
        found = ledger.documents.find(document)
        verification = ledger.documents.verify(found)
        verdict = verification.verdict
        damage = _damage(ledger, found) if isinstance(verdict, IntegrityFailed) else []
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
            f"{verdict.read_from}; sha256 {found.sha256} holds"
        )
    tell = say if verification.signature == "valid" else warn
    tell(f"signature: {verification.signature}")
    _tell_counts(verification.stores)
    return ExitCode.OK if verification.holds else ExitCode.INTEGRITY


def _tell_counts(counts: Sequence[StoreCount]) -> None:
    for count in counts:
        if count.found != count.expected:
            held = f"{count.found:,} of {counted(count.expected, 'item')}"
            advice = "delete the document and ingest it again"
            warn(f"{count.store} store: it holds {held}; {advice}")
    say("stores: " + ", ".join(f"{count.store} {count.found:,}" for count in counts))


def _damage(ledger: Ledger, document: DocumentRecord) -> list[str]:
    """Which chunks are missing, too many, or of another size than when they were written."""
    upload = ledger.log.load_upload(UUID(document.upload_id))
    if upload is None:
        return []
    stored = {c.key: c.stored_bytes for c in ledger.services.chunks.list(upload.key_prefix)}
    damage = []
    for record in upload.chunks:
        key = chunk_key(upload.key_prefix, record.index)
        size = stored.pop(key, None)
        if size is None:
            damage.append(f"chunk {record.index} is missing: {key}")
        elif size != record.stored_bytes:
            told = f"{size:,} bytes where {record.stored_bytes:,} were written"
            damage.append(f"chunk {record.index} has {told}: {key}")
    return damage + [f"not a chunk of this document: {key}" for key in sorted(stored)]


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="How many passages at most.",
)
@click.option(
    "--embedder",
    callback=embedder_option,
    help="What the documents were ingested with, if the data folder does not say.",
)
@_json
@click.pass_obj
def search(
    data: Path, words: tuple[str, ...], limit: int, embedder: str | None, as_json: bool
) -> int:
    """Find the passages nearest to WORDS, with their score.

    A score is the cosine of two vectors: 1 for the same words, 0 for nothing in common.
    """
    wanted = " ".join(words)
    if not wanted.strip():
        raise click.UsageError("there is no word to search for")
    with existing_ledger(data, embedder=embedder) as ledger:
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


@click.command()
@click.argument("document")
@_json
@click.pass_obj
def delete(data: Path, document: str, as_json: bool) -> int:
    """Delete DOCUMENT from every store, checked and recorded."""
    with existing_ledger(data) as ledger:
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
            f"{found.document_id} is hidden, but not all of it is removed yet; "
            f"`sagaledger recover` goes on: {'; '.join(result.errors)}"
        )
    return code_of_result(result)


DOCUMENT_COMMANDS = (list_documents, get, verify, search, delete)
