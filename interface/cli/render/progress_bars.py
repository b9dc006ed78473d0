"""A progress bar for each file on a terminal; otherwise only the summaries."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from sagaledger.domain.saga.progress import Progress
from sagaledger.interface.cli.render.figures import bytes_text
from sagaledger.interface.cli.render.output import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task, TaskID

__all__ = ["ProgressBars"]

_T = TypeVar("_T")


class ProgressBars:
    """Shows step, amount, rate and remaining time of each running saga. Thread-safe."""

    def __init__(self, *, enabled: bool) -> None:
        self._bars: Bars | None = _bars() if enabled and sys.stderr.isatty() else None
        self._tasks: dict[tuple[UUID, str], TaskID] = {}
        self._lock = Lock()

    def update(self, progress: Progress) -> None:
        """Show the progress of a step."""
        if self._bars is None:
            return
        with self._lock:
            key = (progress.saga_id, progress.step)
            if key not in self._tasks:
                self._remove(progress.saga_id)
                label = f"{printable(progress.label.rpartition('/')[2])} {progress.step}"
                self._tasks[key] = self._bars.add_task(
                    label, total=progress.total, unit=progress.unit
                )
            self._bars.update(self._tasks[key], completed=progress.done)

    def remove(self, saga_id: UUID | None) -> None:
        """Remove the bar of a saga."""
        with self._lock:
            self._remove(saga_id)

    def clear(self) -> None:
        """Hide all bars until the next progress."""
        with self._lock:
            for saga_id, _ in list(self._tasks):
                self._remove(saga_id)

    def above(self, report: Callable[[_T], object], what: _T) -> None:
        """Hide the bars while a report is printed above them."""
        if self._bars is None:
            report(what)
            return
        with self._lock:
            self._bars.stop()
            report(what)
            self._bars.start()

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

    def _remove(self, saga_id: UUID | None) -> None:
        for key in [key for key in self._tasks if key[0] == saga_id]:
            assert self._bars is not None
            self._bars.remove_task(self._tasks.pop(key))


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class AmountColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(_amount(task), style="progress.download")

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(_rate(task), style="progress.data.speed")

    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        AmountColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _amount(task: Task) -> str:
    total = task.total or 0
    if task.fields["unit"] == "bytes":
        return f"{bytes_text(task.completed)} of {bytes_text(total)}"
    return f"{task.completed:,.0f} of {total:,.0f} {task.fields['unit']}"


def _rate(task: Task) -> str:
    speed = task.finished_speed or task.speed
    if speed is None:
        return "-"
    if task.fields["unit"] == "bytes":
        return f"{bytes_text(speed)}/s"
    return f"{speed:,.0f}/s"
