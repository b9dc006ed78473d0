"""Ingests several files in parallel, and reports each as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sagaledger.application.ingestion.outcome import IngestResult
from sagaledger.domain.errors import SagaledgerError

__all__ = ["BatchResult", "IngestionBatch"]

BatchResult = IngestResult | SagaledgerError | None
"""The outcome of one file; None if its ingestion did not start."""

_LOOK_AHEAD = 100
"""The number of waiting files that are checked for one that may start."""
_POLL_S = 0.5


@dataclass(slots=True)
class IngestionBatch:
    """Ingests files, several in parallel, until all are done or the worker must stop."""

    ingest: Callable[[str], IngestResult]
    is_stopping: Callable[[], bool]
    on_done: Callable[[str, BatchResult], None]
    """Called with each file and its outcome, in the thread that runs the batch."""
    concurrency: int
    _done: dict[int, BatchResult] = field(default_factory=dict)
    _running: dict[Future[BatchResult], int] = field(default_factory=dict)

    def run(self, paths: Sequence[str]) -> list[BatchResult]:
        """The outcome of each file, in the given order."""
        waiting = dict(enumerate(paths))
        with ThreadPoolExecutor(self.concurrency) as threads:
            while True:
                self._begin(paths, waiting, threads)
                if not self._running:
                    break
                done, _ = wait(self._running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    number = self._running.pop(future)
                    self._done[number] = future.result()
                    self.on_done(paths[number], self._done[number])
        return [self._done.get(number) for number in range(len(paths))]

    def _begin(
        self, paths: Sequence[str], waiting: dict[int, str], threads: ThreadPoolExecutor
    ) -> None:
        while len(self._running) < self.concurrency:
            if self.is_stopping():
                return
            # Files of one size may be equal: the second must find the first one's document.
            at_work = {_size(paths[number]) for number in self._running.values()}
            first = islice(waiting.items(), _LOOK_AHEAD)
            number = next((n for n, path in first if _size(path) not in at_work), None)
            if number is None:
                return
            self._running[threads.submit(self._one, waiting.pop(number))] = number

    def _one(self, path: str) -> BatchResult:
        try:
            return self.ingest(path)
        except SagaledgerError as error:
            return error


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        # It cannot be ingested; the error is reported when its turn comes.
        return -1
