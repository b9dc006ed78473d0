"""The example stores, installed as their users install them, chosen by a configuration file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import environment, run

EXAMPLES = Path(__file__).parents[2] / "examples"
DISTRIBUTIONS = ("blob_chunk_store", "flat_vector_store")
CONFIGURATION = """
[stores]
chunks = "blob:///blobs"
vectors = "flat:///flat.db"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds both packages with their entry points."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", folder)
    sources = []
    for name in DISTRIBUTIONS:
        # Building leaves files beside the sources.
        source = tmp_path_factory.mktemp(name)
        for file in ("pyproject.toml", f"{name}.py"):
            (source / file).write_bytes((EXAMPLES / name / file).read_bytes())
        sources.append(source)
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *sources], check=True)
    return folder


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "sagaledger.toml"
    file.write_text(CONFIGURATION)
    return file


def test_document_in_the_example_stores_is_found_verified_restored_and_deleted(
    tmp_path: Path, installed: Path, configuration: Path
) -> None:
    data, text, restored = (tmp_path / name for name in ("data", "text.txt", "restored.txt"))
    text.write_text("words that are to be found again\n" * 2000)
    steering = environment(PYTHONPATH=str(installed), SAGALEDGER_CONFIG=str(configuration))

    def succeed(*arguments: str | Path) -> str:
        done = run(data, *arguments, env=steering)
        assert done.returncode == 0, done.stderr
        return done.stdout

    succeed("ingest", text, "--chunk-size", "8192")
    (document,) = json.loads(succeed("list", "--json"))
    (upload,) = (data / "blobs").iterdir()

    succeed("verify", document["document_id"])
    succeed("get", document["document_id"], "-o", restored)
    assert "text.txt" in succeed("search", "words to be found")
    assert restored.read_bytes() == text.read_bytes()
    assert (data / "flat.db").exists()
    assert not (data / "chunks").exists()

    succeed("delete", document["document_id"])
    assert not upload.exists()
    assert json.loads(succeed("search", "words to be found", "--json")) == []


def test_example_stores_are_certified(tmp_path: Path, installed: Path, configuration: Path) -> None:
    done = run(
        tmp_path / "data",
        *("--config", configuration, "certify", "--throwaway"),
        *("--cases", "4", "--duration", "0", "--json"),
        env=environment(PYTHONPATH=str(installed)),
    )

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["holds"] is True
    assert facts["cases_run"] == 4
