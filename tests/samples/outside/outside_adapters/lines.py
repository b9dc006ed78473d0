"""An observer that writes a line for each stored event."""

from __future__ import annotations

from pathlib import Path

from sagaledger.ports import AdapterContext, EventObserver, StoredEvents, StoreUrl


def open_observer(url: StoreUrl, context: AdapterContext) -> EventObserver:
    path = url.path_in(context.data_folder)
    return lambda stored: _write(path, stored)


def _write(path: Path, stored: StoredEvents) -> None:
    with path.open("a") as file:
        for recorded in stored.events:
            file.write(f"{recorded.position} {type(recorded.event).__name__}\n")
