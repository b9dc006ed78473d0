"""The nine-step saga on DBOS Transact, https://docs.dbos.dev, on SQLite with its defaults."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

__all__ = ["STEPS", "config", "define", "runner", "stored_bytes", "version"]

STEPS = (
    "begin", "store", "verify", "security", "vector", "graph", "relational", "index", "finalize",
)  # fmt: skip
FAILS_AT = "relational"
_WARM_UPS = 20


class StepFailedError(Exception):
    """The error of the failing step."""


def version() -> str:
    """The installed version.

    Raises:
        ImportError: the package is not installed.
    """
    from importlib.metadata import version as version_of

    import dbos  # noqa: F401 - checks that it is installed

    return f"dbos {version_of('dbos')}, SQLite, defaults"


def config(folder: Path) -> Any:
    """Settings for a database in a folder."""
    return {
        "name": "saga-bench",
        "system_database_url": f"sqlite:///{folder / 'dbos.db'}",
        "log_level": "CRITICAL",
        "application_version": "bench",
        "executor_id": "bench",
    }


def define(park: Callable[[str], None] | None = None) -> Any:
    """Register the steps and the workflow; `park` is called after the fifth step."""
    from dbos import DBOS

    @DBOS.step()
    def act(saga_id: str, name: str, fail: bool) -> dict[str, str]:
        if fail:
            raise StepFailedError(name)
        return {"step": name, "ref": f"{saga_id}:{name}"}

    @DBOS.step()
    def undo(name: str, ref: str) -> dict[str, str]:
        return {"undone": name, "ref": ref}

    @DBOS.workflow()
    def saga(saga_id: str, fails: bool) -> str:
        done = []
        try:
            for number, name in enumerate(STEPS):
                if park and number == 5:
                    park(saga_id)
                fail = fails and name == FAILS_AT
                done.append((name, act(saga_id, name, fail)["ref"]))
        except StepFailedError:
            for name, ref in reversed(done):
                undo(name, ref)
            return "compensated"
        return "completed"

    return saga


def runner(folder: Path) -> Callable[[bool, int, int], list[float]]:
    """Launch DBOS. The returned function runs sagas in parallel and returns their durations."""
    from dbos import DBOS

    folder.mkdir()
    saga = define()
    DBOS(config=config(folder))
    DBOS.launch()
    numbers = iter(range(10**9))

    def one(fails: bool) -> float:
        began_s = time.perf_counter()
        assert saga(f"s-{next(numbers)}", fails) == ("compensated" if fails else "completed")
        return time.perf_counter() - began_s

    for _ in range(_WARM_UPS):
        one(False)

    def run(fails: bool, width: int, count: int) -> list[float]:
        with ThreadPoolExecutor(width) as threads:
            return list(threads.map(one, [fails] * count))

    return run


def stored_bytes(folder: Path) -> int:
    """The size of its database files."""
    return sum(path.stat().st_size for path in folder.glob("dbos.db*"))
