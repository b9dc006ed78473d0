"""`sagaledger ingest`: ingests files in parallel, with progress; can be stopped at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource
from sagaledger.application.ingestion.batch import BatchResult, IngestionBatch
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.values import Classification
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.bootstrap.settings import Setting
from sagaledger.interface.cli.advice import advice_on_recovery
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.invocation import Invocation, pass_invocation
from sagaledger.interface.cli.ledger_access import (
    look_after,
    new_or_existing_ledger,
    require_room,
    stopping_on_signals,
)
from sagaledger.interface.cli.options import embedder_flag, embedder_option, json_option
from sagaledger.interface.cli.render.ingest_report import FileOutcome, report_file, report_files
from sagaledger.interface.cli.render.json_text import print_json
from sagaledger.interface.cli.render.output import warn
from sagaledger.interface.cli.render.progress_bars import ProgressBars
from sagaledger.interface.cli.source_files import SourceFiles
from sagaledger.interface.library.ledger import Ledger

__all__ = ["ingest_command"]

_FIELDS = {
    "classification": "classification",
    "namespace": "namespace",
    "again": "again",
    "compress": "compress",
    "chunk_size": "chunk_size_bytes",
    "attempts": "max_resume_attempts",
    "retry_delay": "resume_retry_delay_s",
    "deadline": "deadline_s",
}
"""The setting of each flag."""
_TEBIBYTE = 1024**4
_DAY_S = 86_400.0
_YEAR_S = 366 * _DAY_S


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--classification",
    type=click.Choice([c.value for c in Classification]),
    default=Classification.INTERNAL.value,
    show_default=True,
    help="How confidential the documents are.",
)
@click.option(
    "--namespace",
    default="default",
    show_default=True,
    help="Equal content is the same document within a namespace only.",
)
@click.option("--again/--no-again", help="Make a new document even if one has this content.")
@click.option("--compress/--no-compress", help="Compress chunks with zstd if that saves space.")
@click.option(
    "--chunk-size",
    type=click.IntRange(1, _TEBIBYTE),
    metavar="BYTES",
    help="Default: automatic, at least 4 MiB and at most 10,000 chunks.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="The number of attempts of the upload.",
)
@click.option(
    "--retry-delay",
    type=click.FloatRange(0, _DAY_S),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="The wait before the second attempt; it doubles with each further one.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0, _YEAR_S, min_open=True),
    metavar="SECONDS",
    help="Roll back sagas that are not done by then.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="The number of files ingested in parallel.",
)
@embedder_option("The embedder: hashing (default), minilm or another installed one.")
@click.option("--no-recover", is_flag=True, help="Do not recover open sagas of earlier runs.")
@json_option()
@pass_invocation
def ingest_command(invocation: Invocation, /, files: tuple[str, ...], **options: Any) -> int:
    """Ingest files: each as a whole, or not at all.

    FILES are files, folders (all regular files below them) or quoted globs. The exit code of
    several files is the highest of theirs.
    """
    flags = _flags(options)
    given = SourceFiles(invocation.data)
    given.take(files)
    as_json = options["as_json"]
    with new_or_existing_ledger(invocation, flags) as ledger:
        require_room(invocation.data)
        with stopping_on_signals(ledger), ProgressBars(enabled=not as_json) as bars:
            if not options["no_recover"]:
                _recover(ledger, bars, quiet=as_json)
            done = _ingest(ledger, given.paths, options["concurrency"], bars, quiet=as_json)
            outcomes = [*map(_unreadable, given.unreadable), *done]
        stopped = ledger.orchestrator.stopping.is_set()
        look_after(ledger)
    if as_json:
        print_json([outcome.plain() for outcome in outcomes])
    else:
        for outcome in outcomes[: len(given.unreadable)]:
            report_file(outcome)
        report_files(outcomes)
    code = max((outcome.code for outcome in outcomes), default=ExitCode.OK)
    if stopped and any(outcome.is_open for outcome in outcomes):
        warn("stopped; `sagaledger recover` or the next ingest continues the open sagas")
        return ExitCode.INTERRUPTED
    return code


def _flags(options: dict[str, Any]) -> list[Setting]:
    """The settings of the given flags; the rest is configured."""
    context = click.get_current_context()
    values = {**options, "classification": Classification(options["classification"])}
    flags = [
        Setting(f"ingestion.{field}", values[name], f"--{name.replace('_', '-')}")
        for name, field in _FIELDS.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    try:
        StreamingSagaConfig(**{flag.key.removeprefix("ingestion."): flag.value for flag in flags})
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return [*flags, *embedder_flag(options["embedder"])]


def _unreadable(error: SagaledgerError) -> FileOutcome:
    return FileOutcome(getattr(error, "path", ""), error)


def _recover(ledger: Ledger, bars: ProgressBars, *, quiet: bool) -> None:
    report = ledger.recover(bars.update)
    bars.clear()
    if quiet:
        return
    for result in report.finished:
        why = f" ({result.reason})" if result.reason else ""
        bars.above(warn, f"recovered saga {result.saga_id.hex[:12]}: {result.status}{why}")
    for saga_id, cause in report.failed.items():
        bars.above(warn, f"saga {saga_id.hex[:12]} could not be recovered: {cause}")
    if advice := advice_on_recovery(ledger, report):
        bars.above(warn, advice)
    for saga_id in report.paused:
        advice = f"`sagaledger resume {saga_id.hex}` continues it"
        bars.above(warn, f"saga {saga_id.hex[:12]} is paused; {advice}")


def _ingest(
    ledger: Ledger, paths: Sequence[str], concurrency: int, bars: ProgressBars, *, quiet: bool
) -> list[FileOutcome]:
    """Ingest files, and print the outcome of each as soon as it is done."""

    def tell(path: str, result: BatchResult) -> None:
        outcome = FileOutcome(path, result)
        bars.remove(outcome.saga_id)
        if not quiet:
            bars.above(report_file, outcome)

    batch = IngestionBatch(
        lambda path: ledger.ingest(path, progress=bars.update),
        ledger.orchestrator.stopping.is_set,
        tell,
        concurrency,
    )
    return [FileOutcome(*pair) for pair in zip(paths, batch.run(paths), strict=True)]
