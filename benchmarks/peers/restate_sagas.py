"""The nine-step saga on Restate (https://restate.dev): its server and our handlers.

The server is the program `restate-server`, on the path or named by SAGALEDGER_BENCH_RESTATE. The
handlers run in a separate process; this module is also their application.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version as version_of
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers.dbos_sagas import FAILS_AT, STEPS, StepFailedError

__all__ = ["Restate", "version"]

_APPLICATION = "SAGALEDGER_BENCH_HANDLERS"
_PARKS = "SAGALEDGER_BENCH_PARKS"
_PARKED = "parked"
_GIVEN_UP_AFTER_S = 120.0
_POLL_S = 0.05


def version() -> str:
    """The installed versions.

    Raises:
        ImportError: the server or a package is not installed.
    """
    import httpx  # noqa: F401 - checks that it is installed
    import hypercorn  # noqa: F401 - checks that it is installed

    done = subprocess.run([_server(), "--version"], capture_output=True, text=True, check=True)
    return f"{done.stdout.strip()}, SDK {version_of('restate-sdk')}, one node, defaults"


def _server() -> str:
    found = os.environ.get("SAGALEDGER_BENCH_RESTATE") or shutil.which("restate-server")
    if found is None:
        raise ImportError("there is no restate-server; SAGALEDGER_BENCH_RESTATE may name one")
    return found


class Restate:
    """A server and its handlers, on loopback. Use it as a context manager."""

    def __init__(self, folder: Path, *, parks: bool = False) -> None:
        """Start both. With `parks`, each saga waits after its fifth step until they are killed."""
        import httpx

        self._folder = folder
        self._numbers = itertools.count()
        folder.mkdir()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = dict(
            zip(("ingress", "admin", "node", "handlers"), _free_ports(4), strict=True)
        )
        self._client = httpx.Client(timeout=60)
        try:
            self.start(parks=parks)
            self._until(self._register)
        except BaseException:
            self.close()
            raise

    def start(self, *, parks: bool = False) -> None:
        """Start the server and the handlers again; their registration is kept."""
        ports = self._ports
        self._processes["server"] = subprocess.Popen(
            [_server(), "--no-logo"],
            env={
                **os.environ,
                "RESTATE_BASE_DIR": str(self._folder / "data"),
                "RESTATE_LISTEN_MODE": "tcp",
                "RESTATE_BIND_IP": "127.0.0.1",
                "RESTATE_BIND_PORT": str(ports["node"]),
                "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ports['ingress']}",
                "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{ports['admin']}",
                "RESTATE_LOG_FILTER": "error",
                "RESTATE_DISABLE_TELEMETRY": "true",
                "DO_NOT_TRACK": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = f"127.0.0.1:{ports['handlers']}"
        with self._output.open("ab") as output:
            self._processes["handlers"] = subprocess.Popen(
                [
                    sys.executable, "-m", "hypercorn", f"{__name__}:application", "--workers", "0",
                    "--bind", address,
                ],
                env={**os.environ, _APPLICATION: "1", _PARKS: "1" if parks else ""},
                stdout=output,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill both processes."""
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._processes.clear()

    def run(self, saga_id: str, *, fails: bool) -> str:
        """Run a saga to its end, and return its outcome."""
        asked = self._client.post(self._url("ingress", "Saga/run"), json=[saga_id, fails])
        asked.raise_for_status()
        return str(asked.json())

    def run_many(self, fails: bool, width: int, count: int) -> None:
        """Run `count` sagas to their end, `width` of them in parallel."""
        names = [f"s-{next(self._numbers)}" for _ in range(count)]
        with ThreadPoolExecutor(width) as threads:
            ended = set(threads.map(lambda name: self.run(name, fails=fails), names))
        assert ended == {"compensated" if fails else "completed"}

    def send(self, saga_id: str) -> None:
        """Start a saga without waiting for its end."""
        url = self._url("ingress", "Saga/run/send")
        self._client.post(url, json=[saga_id, False]).raise_for_status()

    def wait_until_parked(self, count: int) -> None:
        """Wait until so many sagas wait after their fifth step."""
        self._until(lambda: self._output.read_text().count(_PARKED) >= count)

    def wait_until_done(self) -> None:
        """Wait until every saga has ended."""
        self._until(self._is_done)

    def close(self) -> None:
        """Kill both processes, and close the client."""
        self.kill()
        self._client.close()

    def __enter__(self) -> Restate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _output(self) -> Path:
        return self._folder / "handlers.txt"

    def _url(self, port: str, path: str) -> str:
        return f"http://127.0.0.1:{self._ports[port]}/{path}"

    def _register(self) -> bool:
        handlers = {"uri": self._url("handlers", ""), "force": True}
        answer = self._client.post(self._url("admin", "deployments"), json=handlers)
        return bool(answer.is_success)

    def _is_done(self) -> bool:
        query = "select count(*) as n from sys_invocation where status <> 'completed'"
        answer = self._client.post(
            self._url("admin", "query"),
            json={"query": query},
            headers={"accept": "application/json"},
        )
        return bool(answer.is_success) and int(answer.json()["rows"][0]["n"]) == 0

    def _until(self, holds: Callable[[], bool]) -> None:
        import httpx

        until_s = time.monotonic() + _GIVEN_UP_AFTER_S
        while time.monotonic() < until_s:
            try:
                if holds():
                    return
            except httpx.TransportError:
                # The server does not listen yet.
                pass
            time.sleep(_POLL_S)
        raise TimeoutError(f"restate: {holds} was not true in time")


def _free_ports(count: int) -> list[int]:
    with _bound(count) as sockets:
        return [bound.getsockname()[1] for bound in sockets]


@contextmanager
def _bound(count: int) -> Iterator[list[socket.socket]]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        yield sockets
    finally:
        for bound in sockets:
            bound.close()


def _handlers() -> Any:
    import asyncio

    import restate

    service = restate.Service("Saga")

    async def run(ctx: Any, request: list[Any]) -> str:
        saga_id, fails = request
        done: list[tuple[str, str]] = []

        def act(name: str) -> str:
            if fails and name == FAILS_AT:
                raise restate.TerminalError(str(StepFailedError(name)))
            return f"{saga_id}:{name}"

        try:
            for number, name in enumerate(STEPS):
                if os.environ.get(_PARKS) and number == 5:
                    print(_PARKED, flush=True)
                    await asyncio.Event().wait()
                done.append((name, await ctx.run_typed(name, act, name=name)))
        except restate.TerminalError:
            for name, ref in reversed(done):
                await ctx.run_typed(f"undo-{name}", lambda ref=ref: {"undone": ref})
            return "compensated"
        return "completed"

    # The library reads the handler's annotations, which must not need module-level imports.
    run.__annotations__ = {"ctx": restate.Context, "request": list, "return": str}
    service.handler()(run)
    return restate.app([service])


application = _handlers() if os.environ.get(_APPLICATION) else None
