"""A document that is not what it was: told, named chunk by chunk, and never given out."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sagaledger.interface.library.opening import open_ledger

from tests.support.commands import copy_of, json_of, refusal_of, run
from tests.support.damage import flip, lose, shorten

INTEGRITY = 10


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of three chunks."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "noise.bin").write_bytes(os.urandom(300_000))
    ingest = ("ingest", folder / "noise.bin", "--chunk-size", "100000")
    assert run(folder / "data", *ingest).returncode == 0
    return folder / "data"


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    return copy_of(sound, tmp_path / "data")


def chunk(data: Path, index: int) -> Path:
    (path,) = (data / "chunks").glob(f"*/{index:08d}")
    return path


def prolong(path: Path) -> None:
    """The chunk has a byte more."""
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize(
    ("damage", "verdict", "named", "cause"),
    [
        (flip, "'chunk' failed", "(chunk 1; 1 of 3 chunks differ)", "'chunk 1' failed"),
        (lose, "'count' failed: expected 3, found 2", "chunk 1 is missing: ", "/00000001 is not"),
        (shorten, "'size' failed", "chunk 1 has 99,999 bytes where 100,000 were", "'chunk 1'"),
        (prolong, "'size' failed", "chunk 1 has 100,001 bytes where 100,000 were", "'chunk 1'"),
    ],
    ids=["flipped", "lost", "shortened", "prolonged"],
)
def test_damaged_chunk_is_named_and_nothing_is_restored(
    data: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    verdict: str,
    named: str,
    cause: str,
) -> None:
    key = chunk(data, 1).relative_to(data / "chunks")
    damage(chunk(data, 1))
    output = tmp_path / "output"
    output.mkdir()
    (output / "before.bin").write_text("mine")

    verified = run(data, "verify", "default")
    got = run(data, "get", "default", "-o", output / "before.bin", "--force")

    assert verified.returncode == INTEGRITY
    assert f"integrity check {verdict}" in verified.stderr
    assert named in verified.stderr
    assert verified.stdout == "signature: valid\nstores: vector 0, graph 4, relational 4\n"
    assert damage is flip or f": {key}\n" in verified.stderr
    assert cause in refusal_of(got, INTEGRITY)
    assert [path.name for path in output.iterdir()] == ["before.bin"]
    assert (output / "before.bin").read_text() == "mine"


def test_chunk_put_back_verifies_and_restores_again(
    sound: Path, data: Path, tmp_path: Path
) -> None:
    lose(chunk(data, 2))
    told = json_of(run(data, "verify", "default", "--json"), INTEGRITY)

    chunk(data, 1).with_name("00000002").write_bytes(chunk(sound, 2).read_bytes())

    assert told["holds"] is False
    assert told["verification"]["verdict"]["check"] == "count"
    assert [damage.split(": ")[0] for damage in told["damage"]] == ["chunk 2 is missing"]
    assert json_of(run(data, "verify", "default", "--json"))["holds"]
    got = run(data, "get", "default", "-o", tmp_path / "copy.bin")
    assert (got.returncode, (tmp_path / "copy.bin").stat().st_size) == (0, 300_000)


def falsify(manifest: Path) -> None:
    record = json.loads(manifest.read_bytes())
    record["manifest"] = record["manifest"].replace("internal", "public")
    manifest.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (falsify, "the signature does not fit the manifest"),
        (lambda manifest: manifest.write_text("not JSON"), "record is damaged"),
        (lambda manifest: manifest.unlink(), "the manifest is missing"),
    ],
    ids=["falsified", "damaged", "gone"],
)
def test_damaged_manifest_is_told_and_the_content_still_holds(
    data: Path, damage: Callable[[Path], object], told: str
) -> None:
    (manifest,) = (data / "manifests").glob("*.json")
    damage(manifest)

    verified = run(data, "verify", "default")

    assert verified.returncode == INTEGRITY
    assert " matches\nstores: vector 0, " in verified.stdout
    assert verified.stderr.startswith("signature: ")
    assert told in verified.stderr
    assert verified.stderr.count("\n") == 1


def test_manifest_signed_with_another_key_is_told(data: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    assert run(tmp_path / "other", "ingest", tmp_path / "words.txt").returncode == 0
    (tmp_path / "other" / "keys" / "signing.key").replace(data / "keys" / "signing.key")

    told = json_of(run(data, "verify", "default", "--json"), INTEGRITY)

    assert told["holds"] is False
    assert told["verification"]["signature"].startswith("signed with another key (")


@pytest.mark.parametrize("store", ["vector", "graph", "relational"])
def test_store_that_lost_rows_is_named(tmp_path: Path, store: str) -> None:
    (tmp_path / "words.txt").write_text("words that are found " * 20)
    data = tmp_path / "data"
    assert run(data, "ingest", tmp_path / "words.txt").returncode == 0
    with open_ledger(data) as ledger:
        (document,) = ledger.services.relational.documents()
        if store == "relational":
            with sqlite3.connect(data / "documents.db") as rows:
                rows.execute("DELETE FROM passages")
            rows.close()
        elif store == "graph":
            ledger.services.graph.delete(document.owner)
        else:
            ledger.services.vectors.delete(document.owner)

    verified = run(data, "verify", document.document_id)

    held, expected = {"vector": (0, 1), "graph": (0, 3), "relational": (2, 3)}[store]
    items = "item" if expected == 1 else "items"
    assert verified.returncode == INTEGRITY
    assert verified.stderr == (
        f"{store} store: it holds {held} of {expected} {items}; "
        "delete the document and ingest it again\n"
    )
    assert run(data, "delete", document.document_id).returncode == 0
