"""`sagaledger ingest`: which files it takes, what it makes of them, and where."""

from __future__ import annotations

from pathlib import Path

from tests.support.commands import environment, json_of, run

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


def test_files_ingested_for_a_machine_are_told_in_one_value_with_the_same_keys(
    tmp_path: Path,
) -> None:
    (tmp_path / "there.txt").write_text("words")

    done = run(tmp_path / "data", "ingest", "--json", tmp_path / "gone.txt", tmp_path / "there.txt")

    gone, there = json_of(done, 7)
    assert set(there) == set(gone)
    assert (there["error"], there["exit_code"], there["existed"]) == (None, 0, False)
    assert set(there["document"]) == DOCUMENT_KEYS
    assert set(there["saga"]) == SAGA_KEYS
    assert list(there["saga"]["timings_s"]) == STEPS
    assert (gone["document"], gone["saga"], gone["exit_code"]) == (None, None, 7)
    assert "source file not found" in gone["error"]


def test_folders_globs_and_files_ingested_many_at_once_are_each_taken_once(tmp_path: Path) -> None:
    deep = tmp_path / "folder" / "deep"
    deep.mkdir(parents=True)
    for number in range(6):
        (deep / f"{number}.txt").write_text(f"text number {number}")
    (tmp_path / "link.txt").symlink_to(deep / "0.txt")
    asked = (deep, tmp_path / "folder" / "**" / "*.txt", deep / "1.txt", tmp_path / "link.txt")

    done = run(tmp_path / "data", "ingest", "--concurrency", "4", *asked)

    assert done.stdout.endswith("6 files: 6 committed\n")
    listed = json_of(run(tmp_path / "data", "list", "--json"))
    assert sorted(d["source_name"] for d in listed) == [f"{n}.txt" for n in range(6)]


def test_files_of_equal_content_ingested_at_once_become_one_document(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.txt").write_text("the same words")

    done = run(tmp_path / "data", "ingest", "--concurrency", "4", tmp_path)

    assert done.stdout.endswith("4 files: 1 committed, 3 existed already\n")
    assert len(json_of(run(tmp_path / "data", "list", "--json"))) == 1


def test_folder_that_holds_the_data_folder_ingested_leaves_that_out(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    assert run(None, "ingest", ".", cwd=tmp_path).returncode == 0

    again = run(None, "ingest", ".", cwd=tmp_path)

    assert again.stdout.startswith("words.txt: existed already\n")
    assert again.stdout.count("document  ") == 1


def test_classification_namespace_and_compression_given_are_kept(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("the same words again and again " * 50_000)
    options = ("--classification", "secret", "--namespace", "legal", "--compress")

    (told,) = json_of(run(tmp_path / "data", "ingest", "--json", words, *options))

    assert (told["document"]["classification"], told["document"]["namespace"]) == (
        "secret",
        "legal",
    )
    assert told["document"]["document_id"].startswith("legal-")
    (chunk,) = (tmp_path / "data" / "chunks").glob("*/*")
    assert chunk.stat().st_size < words.stat().st_size / 20
    copy = tmp_path / "copy.txt"
    assert run(tmp_path / "data", "get", "legal", "-o", copy).returncode == 0
    assert copy.read_bytes() == words.read_bytes()


def test_data_folder_is_the_option_else_the_variable_else_a_default(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    variable = environment(SAGALEDGER_DATA=str(tmp_path / "variable"))
    ingest = ("ingest", "words.txt")

    run(None, *ingest, cwd=tmp_path)
    run(None, *ingest, cwd=tmp_path, env=variable)
    run(tmp_path / "option", *ingest, cwd=tmp_path, env=variable)

    for name in ("sagaledger-data", "variable", "option"):
        assert len(list((tmp_path / name / "manifests").glob("*.json"))) == 1
