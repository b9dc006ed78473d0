"""The installed command as its users meet it: documents listed, found, restored, deleted."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import copy_of, json_of, refusal_of, run
from tests.support.documents import pdf_bytes

DOCUMENT_KEYS = {
    *("document_id", "saga_id", "upload_id", "namespace", "content_id", "sha256", "source_name"),
    *("size_bytes", "chunk_size_bytes", "chunk_count", "passage_count", "media_type", "text_note"),
    *("classification", "embedder", "created_us"),
}
SAGA_KEYS = {
    *("saga_id", "definition", "status", "decided", "paused", "reason", "errors"),
    *("compensation_errors", "residue", "unverified", "timings_s", "compensation_timings_s"),
    "outputs",
}
STEPS = [
    *("validate", "start", "upload", "verify", "secure"),
    *("vector", "graph", "relational", "finalize"),
]
ALBATROSS = "An albatross may cross the southern ocean without one beat of its wings."
SAGAS = "A saga undoes what it began, last step first, when a later step fails."


class Library(NamedTuple):
    """A data folder with three documents, and where they came from."""

    data: Path
    sources: Path
    ingested: subprocess.CompletedProcess[str]

    def document_id(self, name: str) -> str:
        """The id of the document that a file became."""
        (found,) = re.findall(rf"{name}: committed\n  document  (\S+)\n", self.ingested.stdout)
        return str(found)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    sources = folder / "sources"
    sources.mkdir()
    (sources / "birds.txt").write_text(ALBATROSS)
    (sources / "paper.pdf").write_bytes(pdf_bytes([SAGAS]))
    (sources / "noise.bin").write_bytes(os.urandom(3_000_000))
    ingested = run(folder / "data", "ingest", sources, "--chunk-size", "1000000")
    return Library(folder / "data", sources, ingested)


@pytest.fixture
def own(library: Library, tmp_path: Path) -> Library:
    """The same documents, for a test that changes them."""
    return library._replace(data=copy_of(library.data, tmp_path / "own"))


def test_folder_of_each_kind_of_file_ingested_is_committed(library: Library) -> None:
    shown = library.ingested.stdout

    assert (library.ingested.returncode, library.ingested.stderr) == (0, "")
    assert "size      2.9 MiB in 3 chunks" in shown
    assert "passages  1 (application/pdf)" in shown
    assert "passages  0 (application/octet-stream; binary file: no text)" in shown
    assert f"sha256    {hashlib.sha256(ALBATROSS.encode()).hexdigest()}" in shown
    assert shown.endswith("3 files: 3 committed\n")
    times = re.findall(r"time +[\d.]+ (?:ms|s): (.*)", shown)
    assert [re.findall(r"([a-z]+) [\d.]+ m?s", line) for line in times] == [STEPS] * 3


def test_documents_listed_show_what_they_are(library: Library) -> None:
    table = run(library.data, "list")
    listed = json_of(run(library.data, "list", "--json"))
    newest = json_of(run(library.data, "list", "--json", "--limit", "1"))

    header, *rows = table.stdout.splitlines()
    columns = "DOCUMENT SIZE CHUNKS PASSAGES CLASSIFICATION CREATED (UTC) NAME"
    assert " ".join(header.split()) == columns
    assert sorted(row.split()[-1] for row in rows) == ["birds.txt", "noise.bin", "paper.pdf"]
    assert all(set(document) == DOCUMENT_KEYS for document in listed)
    assert [row.split()[0] for row in rows] == [d["document_id"] for d in listed]
    assert newest == listed[:1]


def test_every_saga_listed_shows_how_it_stands(library: Library) -> None:
    table = run(library.data, "list", "--all")
    listed = json_of(run(library.data, "list", "--all", "--json"))

    header, *rows = table.stdout.splitlines()
    assert header.startswith("SAGA")
    assert all(row.split()[1:4] == ["streaming-upload", "completed", "finalize"] for row in rows)
    assert {saga["status"] for saga in listed} == {"completed"}
    assert {Path(saga["source"]).name for saga in listed} == {"birds.txt", "noise.bin", "paper.pdf"}


def test_document_shown_has_a_timeline_with_durations(library: Library) -> None:
    document_id = library.document_id("noise.bin")

    shown = run(library.data, "show", document_id[:-4]).stdout
    (told,) = json_of(run(library.data, "show", document_id, "--json"))

    first, header, *rows = shown.splitlines()
    assert re.fullmatch(r"saga [0-9a-f]{32}  streaming-upload 2  completed", first)
    assert " ".join(header.split()) == "POSITION TIME (UTC) AFTER EPOCH EVENT WHAT"
    row = r"\d+ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\+[\d.]+ m?s +\d +[A-Z][A-Za-z]+( |$).*"
    assert all(re.fullmatch(row, shown_row) for shown_row in rows)
    kinds = [event["type"] for event in told["events"]]
    assert kinds[:2] == ["SagaStarted", "SagaClaimed"]
    assert kinds[-1] == "SagaCompleted"
    assert kinds.count("ChunkWritten") == 3
    assert len(rows) == len(kinds)
    assert all(
        set(event) == {"position", "at_us", "worker", "epoch", "type", "fields"}
        for event in told["events"]
    )


def test_saga_shown_by_a_shortened_id_is_the_document_s(library: Library) -> None:
    document_id = library.document_id("paper.pdf")
    saga_id = document_id.rpartition("-")[2]

    shown = run(library.data, "show", saga_id[:10].upper())

    assert shown.returncode == 0
    assert shown.stdout.startswith(f"saga {saga_id}")
    assert document_id in shown.stdout


def test_document_got_has_the_same_bytes(library: Library, tmp_path: Path) -> None:
    noise = (library.sources / "noise.bin").read_bytes()
    copy = tmp_path / "copy.bin"

    got = run(library.data, "get", library.document_id("noise.bin"), "-o", copy)

    assert got.stdout == (
        f"restored noise.bin to {copy}: 2.9 MiB, "
        f"sha256 {hashlib.sha256(noise).hexdigest()} checked\n"
    )
    assert copy.read_bytes() == noise
    assert list(tmp_path.iterdir()) == [copy]


def test_document_got_to_an_existing_file_replaces_it_only_by_force(
    library: Library, tmp_path: Path
) -> None:
    there = tmp_path / "there.txt"
    there.write_text("mine")
    get = ("get", library.document_id("birds.txt"), "-o", there, "--json")

    refused = run(library.data, *get)
    mine = there.read_text()
    told = json_of(run(library.data, *get, "--force"))

    assert refusal_of(refused, 11).endswith("it exists; give --force to replace it")
    assert mine == "mine"
    assert there.read_text() == ALBATROSS
    assert set(told) == {"document", "output"}
    assert told["output"] == str(there)


def test_whole_document_verified_holds(library: Library) -> None:
    document_id = library.document_id("noise.bin")

    shown = run(library.data, "verify", document_id)
    told = json_of(run(library.data, "verify", document_id, "--json"))

    assert re.match(rf"{document_id}: 3 chunks, 2.9 MiB read back from disk", shown.stdout)
    assert shown.stdout.endswith(
        "matches\nsignature: valid\nstores: vector 0, graph 4, relational 4\n"
    )
    assert set(told) == {"holds", "verification", "damage"}
    assert (told["holds"], told["damage"], told["verification"]["signature"]) == (True, [], "valid")


@pytest.mark.parametrize(
    ("words", "name", "text"),
    [("step a saga undoes", "paper.pdf", SAGAS), ("wings of the ocean", "birds.txt", ALBATROSS)],
)
def test_words_searched_find_the_right_passage_first(
    library: Library, words: str, name: str, text: str
) -> None:
    shown = run(library.data, "search", *words.split()).stdout
    hits = json_of(run(library.data, "search", words, "--json"))

    first, excerpt, *_ = shown.splitlines()
    assert re.match(rf"0\.\d{{3}}  {name}, page 1  \(default-", first)
    assert excerpt.strip() == text
    assert (hits[0]["source_name"], hits[0]["text"]) == (name, text)
    assert 0.3 < hits[0]["score"] < 1
    assert [hit["score"] for hit in hits] == sorted((h["score"] for h in hits), reverse=True)
    keys = {"document_id", "source_name", "passage", "page", "score", "text"}
    assert all(set(hit) == keys for hit in hits)


def test_document_deleted_is_nowhere_to_be_found(own: Library, tmp_path: Path) -> None:
    document_id = own.document_id("paper.pdf")

    deleted = run(own.data, "delete", document_id)

    removed = "removed: vector 1, graph 3, manifest 1, chunks 1, relational 3\n"
    assert re.fullmatch(rf"deleted {document_id} in [\d.]+ m?s; {removed}", deleted.stdout)
    got = run(own.data, "get", document_id, "-o", tmp_path / "x")
    assert "no document with id" in refusal_of(got, 3)
    found = json_of(run(own.data, "search", SAGAS, "--json"))
    assert "paper.pdf" not in {hit["source_name"] for hit in found}
    listed = json_of(run(own.data, "list", "--json"))
    assert sorted(d["source_name"] for d in listed) == ["birds.txt", "noise.bin"]
    history = json_of(run(own.data, "show", document_id, "--json"))
    assert [told["saga"]["definition"] for told in history] == [
        "streaming-upload",
        "delete-document",
    ]


def test_document_deleted_for_a_machine_is_told_as_a_saga(own: Library) -> None:
    told = json_of(run(own.data, "delete", own.document_id("noise.bin"), "--json"))

    assert set(told) == SAGA_KEYS
    assert (told["definition"], told["status"]) == ("delete-document", "completed")
    assert told["outputs"]["chunks"]["removed"] == 3


def test_same_content_ingested_again_is_the_document_that_exists(own: Library) -> None:
    renamed = own.sources.parent / "renamed.txt"
    renamed.write_text(ALBATROSS)

    shown = run(own.data, "ingest", renamed).stdout
    (told,) = json_of(run(own.data, "ingest", renamed, "--json"))
    forced = run(own.data, "ingest", renamed, "--again").stdout

    assert shown.splitlines()[:2] == [
        f"{renamed}: existed already",
        f"  document  {own.document_id('birds.txt')}",
    ]
    assert (told["existed"], told["saga"]) == (True, None)
    assert f"{renamed}: committed\n" in forced
    assert own.document_id("birds.txt") not in forced


def test_sound_ledger_has_nothing_to_recover_or_sweep(library: Library) -> None:
    assert run(library.data, "recover").stdout == "nothing to recover\n"
    assert json_of(run(library.data, "orphans", "--history", "--json")) == []
    swept = json_of(run(library.data, "sweep", "--json"))
    assert set(swept) == {"report", "left"}
    report = swept["report"]
    assert set(report) >= {"retried", "removed", "left", "waiting", "planned", "unknown", "failed"}
    assert not any(report.values())
