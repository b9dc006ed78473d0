"""A bar per file while it is brought in, on a terminal; elsewhere only the summaries."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sagaledger.domain.ports import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["ProgressBars"]


class ProgressBars:
    """Shows step, bytes, rate and time left of each saga at work."""

    def __init__(self, *, enabled: bool) -> None:
        self._bars: Bars | None = _bars() if enabled and sys.stderr.isatty() else None
        self._enabled = enabled
        self._tasks: dict[tuple[UUID, str], TaskID] = {}
        self._lock = Lock()

    def update(self, progress: Progress) -> None:
        """Show how far a step is."""
        if self._bars is None:
            return
        with self._lock:
            key = (progress.saga_id, progress.step)
            if key not in self._tasks:
                for other in [k for k in self._tasks if k[0] == progress.saga_id]:
                    self._bars.remove_task(self._tasks.pop(other))
                name = progress.source.rpartition("/")[2]
                label = f"{name} {progress.step}"
                self._tasks[key] = self._bars.add_task(label, total=progress.total)
            self._bars.update(self._tasks[key], completed=progress.done)

    def above(self, text: str) -> None:
        """Print a finished file's summary to standard output, above the bars."""
        if self._bars is not None:
            with self._lock:
                self._bars.stop()
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
                self._bars.start()
        elif self._enabled:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def __enter__(self) -> ProgressBars:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
