"""Adapters of another distribution join by entry point and URL, and by nothing else."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import environment, json_of, refusal_of, run
from tests.support.outside import OUTSIDE, run_outside

CONFIGURATION = """
embedder = "letters"
signer = "seed:///../seed"
text_formats = ["mail"]
observers = ["lines:///seen.txt"]
projections = ["sizes"]
sagas = ["greeting"]

[stores]
chunks = "shards:///parts"
vectors = "plain:///plain.db"

[downstream]
words = "terms:///terms.db"

[ingestion]
chunk_size_bytes = 64
"""
MAIL = b"From: a@example.org\nSubject: The rose\n\nA rose is a rose.\n" + b"More of it. " * 20
USAGE = 2
UNUSABLE = 6


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that holds nothing but its configuration."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sagaledger.toml").write_text(CONFIGURATION)
    (tmp_path / "seed").write_text("a seed")
    (tmp_path / "letter.eml").write_bytes(MAIL)
    return folder


@pytest.fixture
def document(data: Path) -> str:
    """A mail message, ingested through the adapters from outside."""
    (outcome,) = json_of(run_outside(data, "ingest", data.parent / "letter.eml", "--json"))
    return str(outcome["document"]["document_id"])


def test_configured_adapters_from_outside_take_a_document(data: Path, document: str) -> None:
    (shown,) = json_of(run_outside(data, "list", "--json"))
    uploads = json_of(run_outside(data, "query", "SELECT * FROM outside_sizes", "--json"))
    with sqlite3.connect(data / "terms.db") as terms:
        (words,) = terms.execute("SELECT words FROM terms").fetchall()
    with sqlite3.connect(data / "plain.db") as vectors:
        (embedder,) = vectors.execute("SELECT name, dimension FROM embedder").fetchall()

    assert shown["document_id"] == document
    assert shown["media_type"] == "message/rfc822"
    assert shown["embedder"] == "letters-v1"
    assert [row["size_bytes"] for row in uploads] == [len(MAIL)]
    seen = (data / "seen.txt").read_text().splitlines()
    assert seen[0].split() == ["1", "SagaStarted"]
    assert [int(line.split()[0]) for line in seen] == list(range(1, len(seen) + 1))
    assert {"ChunkWritten", "SagaCompleted"} <= {line.split()[1] for line in seen}
    assert "rose" in words[0].split()
    assert embedder == ("letters-v1", 26)
    assert len(list((data / "parts").glob("??/*/*.chunk"))) == -(-len(MAIL) // 64)
    assert not (data / "chunks").exists()
    assert not (data / "vectors.db").exists()
    (manifest,) = (data / "manifests").glob("*.json")
    assert json.loads(manifest.read_text())["key_id"].startswith("seed-")


def test_document_in_stores_from_outside_is_verified_found_restored_and_deleted(
    data: Path, document: str, tmp_path: Path
) -> None:
    restored = tmp_path / "restored.eml"

    for arguments in (["verify", document], ["get", document, "-o", str(restored)]):
        assert run_outside(data, *arguments).returncode == 0
    found = json_of(run_outside(data, "search", "rose", "--json"))
    deleted = run_outside(data, "delete", document)

    assert restored.read_bytes() == MAIL
    assert found[0]["text"].startswith("The rose")
    assert deleted.returncode == 0
    assert list((data / "parts").glob("??/*")) == []
    with sqlite3.connect(data / "plain.db") as vectors:
        assert vectors.execute("SELECT count(*) FROM vectors").fetchone() == (0,)
    with sqlite3.connect(data / "terms.db") as terms:
        assert terms.execute("SELECT count(*) FROM terms").fetchone() == (0,)


def test_configuration_of_adapters_from_outside_is_checked_and_leaves_nothing(data: Path) -> None:
    before = sorted(path.name for path in data.iterdir())

    checks = json_of(run_outside(data, "config", "check", "--json"))

    assert [check for check in checks if not check["is_ok"]] == []
    assert {"stores.chunks", "stores.vectors", "downstream.words", "text_formats", "sagas"} <= {
        check["key"] for check in checks
    }
    assert sorted(path.name for path in data.iterdir()) == before
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "letter.eml", "seed"]


def test_folder_made_with_others_is_not_opened_with_the_defaults(
    data: Path, document: str, tmp_path: Path
) -> None:
    (data / "sagaledger.toml").write_text('signer = "seed:///../seed"')
    before = (data / "sagaledger.json").read_bytes()
    config = tmp_path / "other.toml"
    config.write_text(
        'embedder = "hashing"\nsigner = "seed:///../seed"\n[stores]\nchunks = "file:///chunks"\n'
    )

    kept = json_of(run_outside(data, "list", "--json"))
    line = refusal_of(run_outside(data, "--config", config, "list"), UNUSABLE)
    of_log = refusal_of(run_outside(data, "--config", config, "stats"), UNUSABLE)

    assert kept[0]["document_id"] == document
    assert "stores.chunks shards:///parts, not file:///chunks" in line
    assert "embedder letters-v1 (26 dimensions), not hashing-mmh3-v1 (384 dimensions)" in line
    assert "stores.chunks shards:///parts, not file:///chunks" in of_log
    assert (data / "sagaledger.json").read_bytes() == before
    assert not (data / "chunks").exists()
    assert json.loads(before)["format"] == 2


def test_adapter_of_a_distribution_that_is_not_installed_is_refused(
    data: Path, document: str
) -> None:
    (data / "sagaledger.toml").write_text(
        'signer = "seed:///../seed"\n[stores]\nchunks = "shards:///parts"\n'
    )

    line = refusal_of(run(data, "list"), USAGE)

    assert f"{data / 'sagaledger.toml'}: stores.chunks: no chunk store 'shards'" in line
    assert "there are file; install the package that registers 'shards'" in line
    assert "sagaledger.chunk_stores" in line


def test_adapter_that_cannot_be_imported_names_its_distribution(data: Path) -> None:
    line = refusal_of(
        run_outside(data, "ingest", data, SAGALEDGER_STORES_VECTORS="unimportable:///x"), USAGE
    )
    assert f"{data} is the data folder itself" in line

    line = refusal_of(
        run_outside(
            data, "ingest", data.parent / "seed", SAGALEDGER_STORES_VECTORS="unimportable:///x"
        ),
        USAGE,
    )

    assert line.startswith("error: SAGALEDGER_STORES_VECTORS: stores.vectors: vector store")
    assert "cannot be imported: No module named 'outside_adapters.missing'" in line
    assert line.endswith("; pip install 'outside-adapters'")


def test_two_distributions_with_one_name_are_refused(data: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin" / "twin-1.0.dist-info"
    twin.mkdir(parents=True)
    (twin / "METADATA").write_text("Metadata-Version: 2.1\nName: twin\nVersion: 1.0\n")
    (twin / "entry_points.txt").write_text("[sagaledger.chunk_stores]\nshards = twin:Store\n")
    paths = f"{OUTSIDE}:{twin.parent}"

    line = refusal_of(
        run(data, "ingest", data.parent / "seed", env=environment(PYTHONPATH=paths)), USAGE
    )

    assert "'shards' is registered twice, by outside_adapters.shards:" in line
    assert "and twin:Store; uninstall one of them" in line


def test_saga_from_outside_goes_on_in_a_process_that_only_the_configuration_tells_of_it(
    data: Path,
) -> None:
    interrupted = (
        "import os, sys\n"
        "from sagaledger import SagaDefinition, SagaStep, open_ledger\n"
        "steps = [SagaStep('greet', lambda _: os._exit(9))]\n"
        "with open_ledger(sys.argv[1]) as ledger:\n"
        "    ledger.run(SagaDefinition('greeting', steps, 1), {'whom': 'the world'})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", interrupted, data], env=environment(PYTHONPATH=str(OUTSIDE))
    )
    assert ended.returncode == 9

    (recovered,) = json_of(run_outside(data, "recover", "--json"))["finished"]

    assert recovered["status"] == "completed"
    assert recovered["outputs"]["greet"] == {"greeted": "the world"}


def test_two_downstream_stores_that_call_themselves_the_same_are_refused(data: Path) -> None:
    twin = {"SAGALEDGER_DOWNSTREAM_TWIN": "terms:///twin.db"}

    line = refusal_of(run_outside(data, "ingest", data.parent / "letter.eml", **twin), USAGE)

    assert "a downstream store needs a name of its own, not 'terms'" in line


def test_projection_listed_twice_is_refused(data: Path) -> None:
    twice = {"SAGALEDGER_PROJECTIONS": "sizes,sizes"}

    line = refusal_of(run_outside(data, "ingest", data.parent / "letter.eml", **twice), USAGE)

    assert "projections: a projection and its tables need names of their own" in line
