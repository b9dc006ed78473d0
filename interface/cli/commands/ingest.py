"""`sagaledger ingest`: files in, with progress, several at once, stoppable at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.document.values import Classification
from sagaledger.domain.errors import SagaledgerError
from sagaledger.interface.bootstrap.settings import Setting
from sagaledger.interface.cli.exit_codes import ExitCode
from sagaledger.interface.cli.ingest_report import FileOutcome, report_file, report_files
from sagaledger.interface.cli.ledger_access import (
    configured_ledger,
    embedder_flag,
    embedder_option,
    look_after,
    require_room,
    stopping_on_signals,
)
from sagaledger.interface.cli.output import print_json, warn
from sagaledger.interface.cli.progress_bars import ProgressBars
from sagaledger.interface.cli.source_files import SourceFiles
from sagaledger.interface.library.ledger import Ledger

__all__ = ["ingest"]

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
"""Which setting each flag is."""
_LOOK_AHEAD = 100
"""How many of the waiting files are looked at for one that may begin."""
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
@click.option("--again/--no-again", help="Make a new document even where one has this content.")
@click.option("--compress/--no-compress", help="Compress chunks with zstd where it pays.")
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
    help="How often the upload is tried.",
)
@click.option(
    "--retry-delay",
    type=click.FloatRange(0, _DAY_S),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="The wait before the second try; later ones wait twice as long each.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0, _YEAR_S, min_open=True),
    metavar="SECONDS",
    help="Roll back what is not done by then.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How many files are brought in at once.",
)
@click.option(
    "--embedder",
    callback=embedder_option,
    help="What makes the vectors: hashing (default), minilm or another that is installed.",
)
@click.option("--no-recover", is_flag=True, help="Leave what an earlier run left open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def ingest(data: Path, /, files: tuple[str, ...], **options: Any) -> int:
    """Bring files in: all of each, or nothing.

    FILES are files, folders (all regular files below them) or quoted globs. The exit code of
    several files is the highest of theirs.
    """
    flags = _flags(options)
    given = SourceFiles(data)
    given.take(files)
    as_json = options["as_json"]
    with configured_ledger(flags) as ledger:
        require_room(data)
        with stopping_on_signals(ledger), ProgressBars(enabled=not as_json) as bars:
            if not options["no_recover"]:
                _recover(ledger, bars, quiet=as_json)
            run = _Run(ledger, given.paths, options["concurrency"], bars, quiet=as_json)
            outcomes = [*map(_unreadable, given.unreadable), *run.outcomes()]
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
        warn("stopped; `sagaledger recover` or the next ingest goes on with what was begun")
        return ExitCode.INTERRUPTED
    return code


def _flags(options: dict[str, Any]) -> list[Setting]:
    """What the flags that were given set; the rest is configured."""
    context = click.get_current_context()
    values = {**options, "classification": Classification(options["classification"])}
    flags = [
        Setting(f"ingestion.{field}", values[name], f"--{name.replace('_', '-')}")
        for name, field in _FIELDS.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    given = {flag.key.removeprefix("ingestion."): flag.value for flag in flags}
    try:
        StreamingSagaConfig(**given)
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
    for saga_id in report.paused:
        advice = f"`sagaledger resume {saga_id.hex}` goes on"
        bars.above(warn, f"saga {saga_id.hex[:12]} is paused; {advice}")


@dataclass(slots=True)
class _Run:
    """Brings files in, several at once, and tells of each as soon as it is done."""

    ledger: Ledger
    paths: Sequence[str]
    concurrency: int
    bars: ProgressBars
    quiet: bool
    _done: dict[int, FileOutcome] = field(default_factory=dict)
    _running: dict[Future[FileOutcome], int] = field(default_factory=dict)

    def outcomes(self) -> list[FileOutcome]:
        """What came of each file, in the order they were given."""
        waiting = dict(enumerate(self.paths))
        with ThreadPoolExecutor(self.concurrency) as threads:
            while True:
                self._begin(waiting, threads)
                if not self._running:
                    break
                done, _ = wait(self._running, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(self._running.pop(future), future.result())
        not_begun = {number: FileOutcome(path, None) for number, path in waiting.items()}
        return [outcome for _, outcome in sorted({**self._done, **not_begun}.items())]

    def _begin(self, waiting: dict[int, str], threads: ThreadPoolExecutor) -> None:
        while len(self._running) < self.concurrency:
            if self.ledger.orchestrator.stopping.is_set():
                return
            # Files of one size may be equal: the second is to find the first one's document.
            at_work = {_size(self.paths[number]) for number in self._running.values()}
            first = islice(waiting.items(), _LOOK_AHEAD)
            number = next((n for n, path in first if _size(path) not in at_work), None)
            if number is None:
                return
            self._running[threads.submit(self._one, waiting.pop(number))] = number

    def _one(self, path: str) -> FileOutcome:
        try:
            return FileOutcome(path, self.ledger.ingest(path, progress=self.bars.update))
        except SagaledgerError as error:
            return FileOutcome(path, error)

    def _finish(self, number: int, outcome: FileOutcome) -> None:
        self._done[number] = outcome
        self.bars.remove(outcome.saga_id)
        if not self.quiet:
            self.bars.above(report_file, outcome)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        # It cannot be ingested; that is told when its turn comes.
        return -1
