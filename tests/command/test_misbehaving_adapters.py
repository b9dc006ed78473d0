"""An adapter that misbehaves ends a command with one line, and leaves the data folder usable."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagaledger.infrastructure.system_clock import SystemClock
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.registry import AdapterContext, AdapterKind, open_adapter
from sagaledger.interface.bootstrap.store_url import StoreUrl

from tests.support.commands import environment, json_of, refusal_of, run
from tests.support.misbehaving import FAULTS, install_misbehaving

FAILED = 1
USAGE = 2


@pytest.fixture
def paths(tmp_path: Path) -> Path:
    """Where the distribution lies."""
    (tmp_path / "letter.txt").write_text("a letter")
    return install_misbehaving(tmp_path / "installed")


@pytest.fixture
def installed(paths: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution, installed in this process."""
    monkeypatch.syspath_prepend(str(paths))
    return paths


@pytest.mark.parametrize("kind", AdapterKind, ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("fault", FAULTS)
def test_misbehaving_factory_ends_in_an_error_of_the_configuration(
    installed: Path, fault: str, kind: AdapterKind
) -> None:
    context = AdapterContext(installed, SystemClock())

    with pytest.raises(ConfigurationError) as caught:
        open_adapter(kind, StoreUrl.parse(f"{fault}:///x"), context)

    assert str(caught.value).startswith(f"{kind.noun} ")
    assert fault in str(caught.value)


@pytest.mark.parametrize("fault", ["raises", "leaves", "nothing", "broken"])
def test_command_says_in_one_line_which_adapter_misbehaves(
    paths: Path, tmp_path: Path, fault: str
) -> None:
    variables = environment(PYTHONPATH=str(paths), SAGALEDGER_STORES_VECTORS=f"{fault}:///x")

    done = run(tmp_path / "data", "ingest", tmp_path / "letter.txt", env=variables)

    line = refusal_of(done, USAGE)
    assert line.startswith("error: SAGALEDGER_STORES_VECTORS: stores.vectors: vector store")


def test_secrets_of_a_url_are_masked_in_what_a_factory_says(paths: Path, tmp_path: Path) -> None:
    url = "tells://bob:p%40ss-1@db.example/x?token=t0ken"
    variables = environment(PYTHONPATH=str(paths), SAGALEDGER_STORES_VECTORS=url)

    refused = run(tmp_path / "data", "ingest", tmp_path / "letter.txt", env=variables)
    checked = run(tmp_path / "data", "config", "check", "--json", env=variables)

    said = refused.stderr + checked.stdout
    assert "tells://bob:***@db.example/x?token=***" in said
    assert not [secret for secret in ("p%40ss-1", "p@ss-1", "t0ken") if secret in said]


def test_folder_does_not_remember_stores_that_could_not_be_opened(
    paths: Path, tmp_path: Path
) -> None:
    data, letter = tmp_path / "data", tmp_path / "letter.txt"
    for url in ("raises:///x", "unknown:///x"):
        variables = environment(PYTHONPATH=str(paths), SAGALEDGER_STORES_CHUNKS=url)
        refusal_of(run(data, "ingest", letter, env=variables), USAGE)

    (outcome,) = json_of(run(data, "ingest", letter, "--json"))

    assert outcome["document"]["size_bytes"] == letter.stat().st_size


@pytest.mark.parametrize(
    ("fault", "told"), [("failing", "KeyError: 'columns'"), ("leaving", "SystemExit: 0")]
)
def test_part_that_misbehaves_at_work_ends_the_command_with_one_line(
    paths: Path, tmp_path: Path, fault: str, told: str
) -> None:
    variables = environment(PYTHONPATH=str(paths), SAGALEDGER_PROJECTIONS=fault)
    ingest = ("ingest", tmp_path / "letter.txt")

    line = refusal_of(run(tmp_path / "data", *ingest, env=variables), FAILED)
    traced = run(tmp_path / "data", "--debug", *ingest, env=variables)

    assert line == f"error: unexpected {told}; `sagaledger --debug …` shows where"
    assert (traced.returncode, "Traceback" in traced.stderr) == (FAILED, True)


def test_downstream_store_with_the_name_of_another_is_refused(paths: Path, tmp_path: Path) -> None:
    variables = environment(PYTHONPATH=str(paths), SAGALEDGER_DOWNSTREAM_SEARCH="namesake")

    done = run(tmp_path / "data", "ingest", tmp_path / "letter.txt", env=variables)

    line = refusal_of(done, USAGE)
    assert "a downstream store needs a name of its own, not 'graph'" in line
