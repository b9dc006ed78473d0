"""One method of a contract class, run in a process that the test then kills."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__all__ = ["main", "process_running", "say_ready", "wait_to_be_killed"]

_READY = "ready"
_RUN = "import sys; from sagaledger.testing import child_process as c; c.main(*sys.argv[1:])"


@contextmanager
def process_running(contract: object, method: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Call `method(folder)` in another process, which is killed with SIGKILL on leaving.

    The block starts once the method has called `say_ready`. The class must be at module level.
    """
    kind = type(contract)
    call = (inspect.getfile(kind), kind.__name__, method, str(folder))
    with subprocess.Popen(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", _RUN, *call],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:
        try:
            assert child.stdout is not None
            said = child.stdout.readline().strip()
            assert said == _READY, f"the other process ended with {child.wait()} after {said!r}"
            yield child
        finally:
            child.send_signal(signal.SIGKILL)


def say_ready() -> None:
    """Signal to the test that this process can be killed."""
    print(_READY, flush=True)  # noqa: T201 - a pipe that only the test reads


def wait_to_be_killed() -> None:
    """Signal to the test that this process can be killed, then wait."""
    say_ready()
    while True:
        signal.pause()


def main(file: str, kind: str, method: str, folder: str) -> None:
    """Load the module with the contract's subclass, and call one method of it."""
    spec = spec_from_file_location("contract_under_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    getattr(getattr(module, kind)(), method)(Path(folder))
