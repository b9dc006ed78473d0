"""`sagaledger ingest`: files in, with progress, several at once, stoppable at any moment."""

from __future__ import annotations

import glob
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.domain.errors import SagaledgerError
from sagaledger.domain.values import Classification
from sagaledger.interface.exit_codes import ExitCode, code_of_error, code_of_result
from sagaledger.interface.ledger import IngestResult, Ledger, open_ledger
from sagaledger.interface.output import bytes_text, duration_text, plain, print_json
from sagaledger.interface.progress_bars import ProgressBars

__all__ = ["ingest", "stopping_on_signals"]


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--classification",
    type=click.Choice([c.value for c in Classification]),
    default=Classification.INTERNAL.value,
    show_default=True,
)
@click.option("--namespace", default="default", show_default=True)
@click.option("--again", is_flag=True, help="Make a new document even where one has this content.")
@click.option("--compress", is_flag=True, help="Compress chunks with zstd where it pays.")
@click.option(
    "--chunk-size",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Default: automatic, at least 4 MiB and at most 10,000 chunks.",
)
@click.option(
    "--attempts",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often the upload is tried.",
)
@click.option(
    "--retry-delay", type=click.FloatRange(min=0), default=5.0, show_default=True, metavar="SECONDS"
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Roll back what is not done by then.",
)
@click.option("--concurrency", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--embedder", default="hashing", show_default=True, help="hashing or minilm.")
@click.option("--no-recover", is_flag=True, help="Leave what an earlier run left open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def ingest(data: Path, /, files: tuple[str, ...], **options: Any) -> int:
    """Bring FILES in: files, folders (all files below them) or quoted globs."""
    try:
        config = _config(options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    paths = list(_expanded(files))
    with open_ledger(data, config, embedder=_embedder(options["embedder"])) as ledger:
        with stopping_on_signals(ledger):
            if not options["no_recover"]:
                _recover(ledger, quiet=options["as_json"])
            outcomes = _run(ledger, paths, options["concurrency"], quiet=options["as_json"])
        if options["as_json"]:
            print_json([_as_plain(path, outcome) for path, outcome in outcomes])
        stopped = ledger.orchestrator.stopping.is_set()
    if stopped:
        sys.stderr.write("stopped; `sagaledger recover` or the next ingest goes on from here\n")
        return ExitCode.INTERRUPTED
    return max((_code(outcome) for _, outcome in outcomes), default=ExitCode.OK)


def _config(options: dict[str, Any]) -> StreamingSagaConfig:
    return StreamingSagaConfig(
        max_resume_attempts=options["attempts"],
        resume_retry_delay_s=options["retry_delay"],
        deadline_s=options["deadline"],
        chunk_size_bytes=options["chunk_size"],
        compress=options["compress"],
        classification=Classification(options["classification"]),
        namespace=options["namespace"],
        again=options["again"],
    )


def _embedder(name: str) -> str:
    from sagaledger.infrastructure.embedders import EMBEDDER_NAMES

    if name not in EMBEDDER_NAMES:
        raise click.UsageError(f"no embedder {name!r}; there are {', '.join(EMBEDDER_NAMES)}")
    return name


def _expanded(given: Sequence[str]) -> Iterator[str]:
    for name in given:
        path = Path(name)
        if path.is_dir():
            found = sorted(str(p) for p in path.rglob("*") if p.is_file())
            if not found:
                raise click.UsageError(f"folder {name} holds no files")
            yield from found
        elif not path.exists() and glob.has_magic(name):
            found = sorted(f for f in glob.glob(name, recursive=True) if Path(f).is_file())  # noqa: PTH207 - Path.glob takes no absolute patterns
            if not found:
                raise click.UsageError(f"no file matches {name}")
            yield from found
        else:
            yield name


@contextmanager
def stopping_on_signals(ledger: Ledger) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the work at the next checkpoint, undoing nothing."""

    def stop(_number: int, _frame: object) -> None:
        ledger.stop()

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _recover(ledger: Ledger, *, quiet: bool) -> None:
    report = ledger.recover()
    if quiet:
        return
    for result in report.finished:
        sys.stderr.write(f"recovered saga {result.saga_id.hex[:12]}: {result.status}\n")
    for saga_id, cause in report.failed.items():
        sys.stderr.write(f"saga {saga_id.hex[:12]} could not be recovered: {cause}\n")
    for saga_id in report.paused:
        sys.stderr.write(f"saga {saga_id.hex[:12]} is paused: sagaledger resume {saga_id.hex}\n")


_Outcome = IngestResult | SagaledgerError | None


def _run(
    ledger: Ledger, paths: Sequence[str], concurrency: int, *, quiet: bool
) -> list[tuple[str, _Outcome]]:
    outcomes: dict[int, _Outcome] = {}
    with ProgressBars(enabled=not quiet) as bars, ThreadPoolExecutor(concurrency) as threads:
        waiting = list(enumerate(paths))[::-1]
        running: dict[Future[_Outcome], int] = {}
        while True:
            stopping = ledger.orchestrator.stopping.is_set()
            while waiting and len(running) < concurrency and not stopping:
                number, path = waiting.pop()
                running[threads.submit(_one, ledger, path, bars)] = number
            if not running:
                break
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                number = running.pop(future)
                outcomes[number] = future.result()
                if not quiet:
                    bars.above(_summary(paths[number], outcomes[number]))
    return [(path, outcomes.get(number)) for number, path in enumerate(paths)]


def _one(ledger: Ledger, path: str, bars: ProgressBars) -> _Outcome:
    try:
        return ledger.ingest(path, progress=bars.update)
    except SagaledgerError as error:
        return error


def _code(outcome: _Outcome) -> ExitCode:
    if outcome is None:
        return ExitCode.UNFINISHED
    if isinstance(outcome, SagaledgerError):
        return code_of_error(outcome)
    return ExitCode.OK if outcome.saga is None else code_of_result(outcome.saga)


def _summary(path: str, outcome: _Outcome) -> str:
    if outcome is None:
        return f"{path}: not begun"
    if isinstance(outcome, SagaledgerError):
        return f"{path}: error: {outcome}"
    document, saga = outcome.document, outcome.saga
    if document is None:
        assert saga is not None
        lines = [f"{path}: {saga.status.value}  saga {saga.saga_id.hex}"]
        lines += [f"  reason    {saga.reason}"] if saga.reason else []
        lines += [f"  error     {error}" for error in (*saga.errors, *saga.compensation_errors)]
        lines += [f"  left      {r.store}: {r.ref} ({r.detail})" for r in saga.residue[:10]]
        return "\n".join(lines)
    text = f"{document.passage_count} ({document.media_type}"
    text += f"; {document.text_note})" if document.text_note else ")"
    lines = [
        f"{path}: {'existed already' if outcome.existed else 'committed'}",
        f"  document  {document.document_id}",
        f"  size      {bytes_text(document.size_bytes)} in {document.chunk_count} chunks",
        f"  sha256    {document.sha256}",
        f"  passages  {text}",
    ]
    if saga is not None:
        times = ", ".join(f"{n} {duration_text(s)}" for n, s in saga.timings_s.items())
        lines.append(f"  time      {duration_text(sum(saga.timings_s.values()))}: {times}")
    for other in outcome.shared_with:
        lines.append(f"  note      saga {other.hex[:12]} was reading the same file")
    return "\n".join(lines)


def _as_plain(path: str, outcome: _Outcome) -> dict[str, Any]:
    if isinstance(outcome, SagaledgerError):
        return {"source": path, "error": str(outcome), "exit_code": int(_code(outcome))}
    return {
        "source": path,
        "existed": outcome is not None and outcome.existed,
        "document": plain(outcome.document) if outcome else None,
        "saga": plain(outcome.saga) if outcome else None,
        "exit_code": int(_code(outcome)),
    }
