"""What users give wrongly is refused in one clear line, with its own exit code."""

from __future__ import annotations

import os
import socket
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.commands import bound_by_permissions, copy_of, json_of, refusal_of, run

USAGE, UNKNOWN, SOURCE, OUTPUT = 2, 3, 7, 11


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two documents."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "one.txt").write_text("the first text")
    (folder / "two.txt").write_text("another text")
    assert run(folder / "data", "ingest", folder).returncode == 0
    return folder / "data"


@pytest.fixture(scope="module")
def document_id(data: Path) -> str:
    return str(json_of(run(data, "list", "--json", "--limit", "1"))[0]["document_id"])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("", "no such command ''; see `sagaledger --help`"),
        ("lst", "no such command 'lst'. Did you mean 'list'? see `sagaledger --help`"),
        ("list --jsn", "'--jsn'. Did you mean '--json'? see `sagaledger list --help`"),
        ("list --data x", "give --data before the command: `sagaledger [OPTIONS] COMMAND`"),
        ("list extra", "unexpected extra argument (extra); see `sagaledger list --help`"),
        ("--frob list", "no such option '--frob'; see `sagaledger --help`"),
        ("ingest", "missing argument 'FILES...'; see `sagaledger ingest --help`"),
        ("get x", "missing option '-o' / '--output'; see `sagaledger get --help`"),
        ("search", "missing argument 'WORDS...'; see `sagaledger search --help`"),
        ("ingest f --chunk-size 0", "0 is not in the range 1<=x<=1099511627776"),
        ("ingest f --chunk-size -5", "-5 is not in the range 1<=x<=1099511627776"),
        (f"ingest f --chunk-size {10**30}", "is not in the range 1<=x<=1099511627776"),
        ("ingest f --chunk-size much", "'much' is not a valid integer range"),
        ("ingest f --attempts 0", "0 is not in the range 1<=x<=1000"),
        (f"ingest f --attempts {10**30}", "is not in the range 1<=x<=1000"),
        ("ingest f --retry-delay -1", "-1.0 is not in the range 0<=x<=86400.0"),
        ("ingest f --retry-delay nan", "delays must be 0 s or more, and finite, not nan"),
        ("ingest f --deadline 0", "0.0 is not in the range 0<x<=31622400.0"),
        ("ingest f --deadline 1e300", "1e+300 is not in the range 0<x<=31622400.0"),
        ("ingest f --deadline nan", "deadline must be more than 0 s, not nan"),
        ("ingest f --concurrency 0", "0 is not in the range 1<=x<=64"),
        ("ingest f --classification hush", "'hush' is not one of 'public', 'internal'"),
        ("ingest f --embedder none", "no embedder 'none'; there are hashing, minilm"),
        ("ingest f --namespace a/b", "namespace 'a/b' must be ASCII letters, digits and _"),
        ("list --limit 0", "0 is not in the range 1<=x<=1000000"),
        (f"list --all --limit {10**30}", "is not in the range 1<=x<=1000000"),
        ("search words --limit 100000", "100000 is not in the range 1<=x<=1000"),
        ("search words --embedder none", "no embedder 'none'; there are hashing, minilm"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_made(
    tmp_path: Path, arguments: str, why: str
) -> None:
    given = arguments.split(" ")

    line = refusal_of(run(None, *given, cwd=tmp_path), USAGE)

    assert line.startswith("error: ")
    assert why in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["", " \t"])
def test_search_for_no_word_is_refused(data: Path, words: str) -> None:
    assert "there is no word to search for" in refusal_of(run(data, "search", words), USAGE)


def test_files_that_stand_for_nothing_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    for given, why in (
        ("empty", "folder empty holds no files"),
        ("*.txt", "no file matches *.txt"),
        ("", "an empty name is not a file"),
    ):
        assert why in refusal_of(run(None, "ingest", given, cwd=tmp_path), USAGE)

    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_data_folder_itself_ingested_is_refused(data: Path) -> None:
    line = refusal_of(run(data, "ingest", data), USAGE)

    assert f"{data} is the data folder itself" in line


def test_files_that_cannot_be_read_are_each_told_and_the_others_ingested(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    (sources / "closed").mkdir(parents=True)
    (sources / "good.txt").write_text("words")
    (sources / "secret.txt").write_text("not for everybody")
    (sources / "secret.txt").chmod(0)
    (sources / "closed").chmod(0)
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    given = ("gone.txt", "pipe", "socket", "/dev/null", "good.txt/below", "x" * 300, "sources")

    done = run(tmp_path / "data", "ingest", *given, cwd=tmp_path, before=bound_by_permissions())

    (sources / "closed").chmod(0o700)
    assert done.returncode == SOURCE
    told = dict(line.split(": error: ", 1) for line in done.stderr.splitlines())
    wrong = {
        "gone.txt": "source file not found",
        "pipe": "it is a named pipe, not a regular file",
        "socket": "No such device or address",
        "/dev/null": "it is a device, not a regular file",
        "good.txt/below": "source file not found",
        "x" * 300: "File name too long",
        "sources/secret.txt": "Permission denied",
        "sources/closed": "Permission denied",
    }
    assert set(told) == set(wrong)
    assert all(wrong[path] in why for path, why in told.items())
    assert done.stdout.startswith("sources/good.txt: committed\n")
    assert done.stdout.endswith("9 files: 1 committed, 8 failed\n")


@pytest.mark.parametrize("given", ["", "nothing", "default-nothing", "\udcff", "%"])
def test_unknown_document_is_refused(data: Path, tmp_path: Path, given: str) -> None:
    line = refusal_of(run(data, "get", given, "-o", tmp_path / "x"), UNKNOWN)

    assert line.startswith("error: no document with id ")
    assert line.endswith("; see `sagaledger list`")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["verify", "delete", "show", "pause"])
def test_empty_id_is_refused_whatever_the_command(data: Path, command: str) -> None:
    assert "with id ''; see `sagaledger list" in refusal_of(run(data, command, ""), UNKNOWN)


@pytest.mark.parametrize("command", ["show", "rollback", "cancel"])
def test_unknown_saga_is_refused(data: Path, command: str) -> None:
    line = refusal_of(run(data, command, "0" * 33), UNKNOWN)

    assert line.endswith("; see `sagaledger list --all`")


@pytest.mark.parametrize("command", ["show", "delete"])
def test_id_that_fits_several_documents_is_refused_and_names_them(
    data: Path, document_id: str, command: str
) -> None:
    line = refusal_of(run(data, command, "default"), UNKNOWN)

    assert line.startswith("error: id 'default' fits several: default-")
    assert document_id in line
    assert line.endswith("; give more of it")


def test_id_that_fits_several_sagas_is_refused(data: Path, tmp_path: Path) -> None:
    own = copy_of(data, tmp_path / "data")
    # Seventeen sagas, and sixteen digits to begin with.
    for number in range(15):
        (tmp_path / f"{number}.txt").write_text(f"text number {number}")
    late = run(own, "ingest", "--deadline", "0.000001", *tmp_path.glob("*.txt"))
    assert late.stderr.count("rolled back, nothing left (deadline_exceeded)") == 15
    known = [saga["saga_id"] for saga in json_of(run(own, "list", "--all", "--json"))]
    digit = next(d for d in "0123456789abcdef" if sum(k.startswith(d) for k in known) > 1)

    line = refusal_of(run(own, "pause", digit), UNKNOWN)

    assert line.startswith(f"error: id '{digit}' fits several: {digit}")


def test_document_got_where_nothing_can_be_written_is_refused(
    data: Path, document_id: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir(mode=0o500)
    os.mkfifo(tmp_path / "pipe")

    for output, why in (
        ("missing/copy", "there is no folder missing"),
        ("file/copy", "there is no folder file"),
        ("folder", "it is a folder; name a file in it"),
        ("pipe", "it is not a regular file"),
        ("closed/copy", "Permission denied"),
        ("x" * 300, "File name too long"),
    ):
        get = ("get", document_id, "-o", output, "--force")
        done = run(data, *get, cwd=tmp_path, before=bound_by_permissions())
        assert refusal_of(done, OUTPUT) == f"error: cannot write {output}: {why}"

    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "file", "closed", "pipe"}
    assert (tmp_path / "pipe").is_fifo()


def test_embedder_other_than_the_stores_is_refused(data: Path, tmp_path: Path) -> None:
    own = copy_of(data, tmp_path / "data")
    (tmp_path / "new.txt").write_text("yet another text")
    with sqlite3.connect(own / "vectors.db") as vectors:
        vectors.execute("UPDATE embedder SET name='all-MiniLM-L6-v2'")
    with sqlite3.connect(own / "documents.db") as documents:
        documents.execute("UPDATE documents SET embedder='all-MiniLM-L6-v2'")

    ingested = run(own, "ingest", tmp_path / "new.txt")
    searched = run(own, "search", "text")

    why = "vectors of all-MiniLM-L6-v2 (384 dimensions), not of hashing-mmh3-v1 (384)"
    assert f"rolled back, nothing left (embedder_mismatch): the vector store holds {why}" in (
        refusal_of(ingested, 4)
    )
    assert f"the vector store holds {why}" in refusal_of(searched, USAGE)
    assert len(json_of(run(own, "list", "--json"))) == 2


def test_embedder_that_is_not_installed_is_refused(data: Path, tmp_path: Path) -> None:
    if find_spec("sentence_transformers"):
        pytest.skip("the embedder is installed here")
    (tmp_path / "words.txt").write_text("words")

    line = refusal_of(run(data, "ingest", tmp_path / "words.txt", "--embedder", "minilm"), USAGE)

    assert line.endswith("install it with: pip install 'sagaledger[embeddings]'")
