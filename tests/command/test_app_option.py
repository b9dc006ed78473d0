"""`--app` makes sagas of a user's own known to the command, which then drives them as any other."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sagaledger import SagaDefinition, SagaStep, StepContext, open_ledger

from tests.support.commands import environment, json_of, refusal_of, run
from tests.support.ledgers import QUICK

USAGE = 2
MODULE = """
from pathlib import Path

from sagaledger import Residue, SagaDefinition, SagaStep

FOLDER = Path(__file__).parent / "bookings"


def path(context):
    return FOLDER / context.saga_id.hex


def book(context):
    FOLDER.mkdir(exist_ok=True)
    path(context).write_text("room 12")


def unbook(context):
    path(context).unlink(missing_ok=True)
    return 1


def still_booked(context):
    return [Residue("rooms", "room 12")] if path(context).exists() else []


trip = SagaDefinition("trip", [
    SagaStep("book", book, unbook, still_booked),
    SagaStep("confirm", lambda context: {"confirmed": "room 12"}),
])


def register(ledger):
    ledger.register(trip)


class Desk:
    def register(self, ledger):
        ledger.register(trip)


desk = Desk()
number = 12


def broken(ledger):
    raise RuntimeError("no desk")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a module of the user's own, and others that are of no use."""
    (tmp_path / "trips.py").write_text(MODULE)
    (tmp_path / "broken_trips.py").write_text("raise ZeroDivisionError('half a module')\n")
    (tmp_path / "ending_trips.py").write_text("raise SystemExit(0)\n")
    return tmp_path


@pytest.fixture
def begun(folder: Path) -> UUID:
    """A trip whose first step is done, left open by an ended process."""

    def book(context: StepContext) -> None:
        (folder / "bookings").mkdir(exist_ok=True)
        (folder / "bookings" / context.saga_id.hex).write_text("room 12")
        ledger.stop()

    with open_ledger(folder / "data", QUICK) as ledger:
        steps = [SagaStep("book", book), SagaStep("confirm", lambda _: None)]
        return ledger.run(SagaDefinition("trip", steps)).saga_id


def bookings(folder: Path) -> list[str]:
    return [path.name for path in (folder / "bookings").iterdir()]


def version(folder: Path) -> int:
    with open_ledger(folder / "data", QUICK) as ledger:
        return int(ledger.log.last_position())


@pytest.mark.parametrize(
    "app", ["trips:register", "trips:desk", "trips:trip", "trips:desk.register"]
)
def test_recover_finishes_a_saga_of_one_s_own_by_whatever_the_app_is(
    folder: Path, begun: UUID, app: str
) -> None:
    report = json_of(run(folder / "data", "--app", app, "recover", "--json", cwd=folder))

    (finished,) = report["finished"]
    assert (finished["saga_id"], finished["status"]) == (begun.hex, "completed")
    assert finished["outputs"]["confirm"] == {"confirmed": "room 12"}
    assert report["failed"] == {}


def test_plan_and_rollback_know_the_steps_of_the_app(folder: Path, begun: UUID) -> None:
    data, app = folder / "data", ("--app", "trips:register")

    planned = json_of(run(data, *app, "plan", begun.hex, "--json", cwd=folder))
    rolled_back = json_of(run(data, *app, "rollback", begun.hex, "--json", cwd=folder))

    assert [(undo["step"], undo["has_undo"]) for undo in planned] == [
        ("confirm", False),
        ("book", True),
    ]
    assert (rolled_back["status"], rolled_back["residue"]) == ("compensated", [])
    assert bookings(folder) == []


def test_app_comes_from_the_environment_too(folder: Path, begun: UUID) -> None:
    env = environment(SAGALEDGER_APP="trips:register")

    done = run(folder / "data", "recover", "--json", cwd=folder, env=env)

    assert [saga["status"] for saga in json_of(done)["finished"]] == ["completed"]


@pytest.mark.parametrize(
    ("app", "why"),
    [
        ("trips", "it must have the form module:attribute"),
        (":register", "it must have the form module:attribute"),
        ("trips:", "it must have the form module:attribute"),
        ("trips:reg ister", "it must have the form module:attribute"),
        ("trip:register", "its module cannot be imported: ModuleNotFoundError: No module named"),
        ("..trips:register", "its module cannot be imported: "),
        ("broken_trips:register", "cannot be imported: ZeroDivisionError: half a module"),
        ("ending_trips:register", "cannot be imported: SystemExit: 0"),
        ("trips:registre", "module 'trips' has no 'registre'"),
        ("trips:number", "it is not a function, an object with `register`, or a SagaDefinition"),
        ("trips:Desk", "it is a class: name a function, an object or a definition"),
        ("trips:broken", "it raises RuntimeError: no desk"),
    ],
)
def test_app_that_is_of_no_use_is_refused_before_anything_changes(
    folder: Path, begun: UUID, app: str, why: str
) -> None:
    before = version(folder)

    line = refusal_of(run(folder / "data", "--app", app, "rollback", begun.hex, cwd=folder), USAGE)

    assert line.startswith(f"error: app {app!r}: ")
    assert why in line
    assert version(folder) == before


def test_ingest_with_an_app_that_is_not_there_makes_no_data_folder(
    folder: Path, source: Path
) -> None:
    done = run(folder / "new", "--app", "trip:register", "ingest", str(source), cwd=folder)

    assert done.returncode == USAGE
    assert not (folder / "new").exists()


def test_command_without_the_app_leaves_its_saga_as_it_is(folder: Path, begun: UUID) -> None:
    before = version(folder)

    done = run(folder / "data", "recover", cwd=folder)

    assert "saga definition 'trip' version 1 is not registered" in done.stdout
    assert version(folder) == before
    assert bookings(folder) == [begun.hex]


def test_app_s_traceback_is_shown_with_debug(folder: Path, begun: UUID) -> None:
    done = run(
        folder / "data", "--debug", "--app", "broken_trips:x", "rollback", begun.hex, cwd=folder
    )

    assert done.returncode == USAGE
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError: half a module" in done.stderr
