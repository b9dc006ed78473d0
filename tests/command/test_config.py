"""`config show` and `config check`, and what a data folder remembers, by the installed command."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.support.commands import environment, json_of, refusal_of, run

FAILED = 1
USAGE = 2
UNUSABLE = 6


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a document, made with nothing configured."""
    (tmp_path / "words.txt").write_text("plain words")
    assert run(tmp_path / "data", "ingest", tmp_path / "words.txt").returncode == 0
    return tmp_path / "data"


def shown(
    data: Path | None, *options: str | Path, cwd: Path | None = None, **variables: str
) -> dict[str, tuple[object, str]]:
    rows = json_of(
        run(data, *options, "config", "show", "--json", cwd=cwd, env=environment(**variables))
    )
    return {row["key"]: (row["value"], row["source"]) for row in rows}


def test_show_says_of_each_value_where_it_comes_from(data: Path) -> None:
    (data / "sagaledger.toml").write_text("[ingestion]\nwriter_threads = 2\n")

    values = shown(data, SAGALEDGER_INGESTION_NAMESPACE="ours")

    assert values["data"] == (str(data), "--data")
    assert values["ingestion.writer_threads"] == (2, str(data / "sagaledger.toml"))
    assert values["ingestion.namespace"] == ("ours", "SAGALEDGER_INGESTION_NAMESPACE")
    assert values["embedder"] == ("hashing", str(data / "sagaledger.json"))
    assert values["stores.chunks"] == ("file:///chunks", "default")


def test_show_masks_secrets_and_tells_of_variables_that_are_none(tmp_path: Path) -> None:
    variables = {
        "SAGALEDGER_STORES_GRAPH": "neo://anna:sesame@host/g?token=sesame",
        "SAGALEDGER_EMBEDER": "x",
    }

    done = run(tmp_path / "data", "config", "show", env=environment(**variables))

    assert done.returncode == 0
    assert "neo://anna:***@host/g?token=***" in done.stdout
    assert "sesame" not in done.stdout + done.stderr
    assert done.stderr == "SAGALEDGER_EMBEDER is not a setting; a misspelt one?\n"
    assert not (tmp_path / "data").exists()


def test_file_given_names_the_data_folder(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "ours.toml"
    config.write_text('data = "data"\n')

    values = shown(None, "--config", config, cwd=tmp_path.parent)
    listed = json_of(run(None, "list", "--json", env=environment(SAGALEDGER_CONFIG=str(config))))

    assert values["data"] == (str(data), str(config))
    assert len(listed) == 1


def test_flag_of_ingest_wins_over_the_file(data: Path, tmp_path: Path) -> None:
    (data / "sagaledger.toml").write_text(
        '[ingestion]\nclassification = "secret"\nnamespace = "ours"\n'
    )
    (tmp_path / "more.txt").write_text("more words")

    (outcome,) = json_of(
        run(data, "ingest", tmp_path / "more.txt", "--classification", "public", "--json")
    )

    document = outcome["document"]
    assert (document["classification"], document["namespace"]) == ("public", "ours")


def test_configuration_that_is_wrong_refuses_every_command(data: Path) -> None:
    (data / "sagaledger.toml").write_text("[ingestion]\nwriters = 2\n")

    for command in ("list", "stats", "config show", "config check"):
        line = refusal_of(run(data, *command.split()), USAGE)
        assert f"{data / 'sagaledger.toml'}: unknown key 'ingestion.writers'; allowed" in line


def test_check_tries_every_part_and_leaves_nothing(data: Path) -> None:
    before = sorted(str(path) for path in data.rglob("*") if path.is_file())

    done = run(data, "config", "check")
    checks = json_of(run(data, "config", "check", "--json"))

    assert (done.returncode, done.stderr) == (0, "")
    assert [check["key"] for check in checks] == [
        "data",
        "embedder",
        "signer",
        "stores.events",
        "stores.snapshots",
        "stores.chunks",
        "stores.vectors",
        "stores.graph",
        "stores.relational",
        "stores.manifests",
    ]
    assert all(check["is_ok"] for check in checks)
    assert len(done.stdout.splitlines()) == 1 + len(checks)
    assert sorted(str(path) for path in data.rglob("*") if path.is_file()) == before
    assert len(json_of(run(data, "list", "--json"))) == 1


def test_check_of_a_folder_that_is_not_made_yet_makes_none(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "config", "check")

    assert done.returncode == 0, done.stdout
    assert "does not exist yet" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_check_names_each_part_that_fails_and_tries_the_others(data: Path) -> None:
    (data / "graph.lbug").write_bytes(b"no graph" * 1000)

    checks = json_of(run(data, "config", "check", "--json"), FAILED)

    failed = [check["key"] for check in checks if not check["is_ok"]]
    assert failed == ["stores.graph"]


def test_check_tells_of_parts_that_need_a_failed_one(tmp_path: Path) -> None:
    done = run(
        tmp_path / "data", "config", "check", "--json", env=environment(SAGALEDGER_SIGNER="none")
    )

    failed = {c["key"]: c["detail"] for c in json_of(done, FAILED) if not c["is_ok"]}
    assert failed.keys() == {"signer", "stores.manifests"}
    assert "no signer 'none'; there are file" in failed["signer"]
    assert failed["stores.manifests"] == "not checked, because it needs the signer"


def test_folder_with_embedded_stores_keeps_the_first_format(data: Path) -> None:
    mark = json.loads((data / "sagaledger.json").read_bytes())

    assert mark["format"] == 1
    assert mark["stores"]["stores.chunks"] == "file:///chunks"
    assert mark["embedder"] == {
        "name": "hashing",
        "identity": "hashing-mmh3-v1",
        "dimension": 384,
    }


def test_folder_opened_with_other_stores_is_refused_and_unchanged(data: Path) -> None:
    before = (data / "sagaledger.json").read_bytes()
    others = environment(SAGALEDGER_STORES_CHUNKS="file:///parts")

    for command in ("list", "stats", "config check"):
        done = run(data, *command.split(), env=others)
        assert "was made with stores.chunks file:///chunks, not file:///parts" in (
            done.stdout + done.stderr
        )
        assert done.returncode == (FAILED if command == "config check" else UNUSABLE)

    assert (data / "sagaledger.json").read_bytes() == before
    assert not (data / "parts").exists()


def test_folder_that_a_mistaken_url_left_unmade_takes_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("plain words")
    data, ingest = tmp_path / "data", ("ingest", tmp_path / "words.txt")
    right, wrong = (
        environment(SAGALEDGER_STORES_CHUNKS=url) for url in ("file:///parts", "fiel:///parts")
    )

    mistaken = refusal_of(run(data, *ingest, env=wrong), USAGE)
    tried = json.loads((data / "sagaledger.json").read_bytes())
    made = run(data, *ingest, env=right)

    assert "no chunk store 'fiel'" in mistaken
    assert tried["complete"] is False
    assert made.returncode == 0, made.stderr
    mark = json.loads((data / "sagaledger.json").read_bytes())
    assert (mark["format"], mark["stores"]["stores.chunks"]) == (2, "file:///parts")
    assert "complete" not in mark
    refused = refusal_of(run(data, "list", env=wrong), UNUSABLE)
    assert "was made with stores.chunks file:///parts, not fiel:///parts" in refused


def test_folder_of_0_1_0_is_opened_and_its_mark_completed(data: Path, tmp_path: Path) -> None:
    complete = (data / "sagaledger.json").read_bytes()
    (data / "sagaledger.json").write_text('{"format": 1}\n')

    refused = refusal_of(
        run(data, "list", env=environment(SAGALEDGER_STORES_GRAPH="ladybug:///other.lbug")),
        UNUSABLE,
    )
    read = run(data, "stats")
    after_reading = (data / "sagaledger.json").read_bytes()
    listed = json_of(run(data, "list", "--json"))

    assert "stores.graph ladybug:///graph.lbug, not ladybug:///other.lbug" in refused
    assert (read.returncode, after_reading) == (0, b'{"format": 1}\n')
    assert len(listed) == 1
    assert (data / "sagaledger.json").read_bytes() == complete


def test_folder_of_0_1_0_keeps_the_embedder_that_its_vectors_are_of(data: Path) -> None:
    (data / "sagaledger.json").write_text('{"format": 1}\n')
    with sqlite3.connect(data / "vectors.db") as vectors:
        vectors.execute("UPDATE embedder SET name='all-minilm-l6-v2'")

    refused = refusal_of(run(data, "search", "words", "--embedder", "hashing"), UNUSABLE)
    listed = json_of(run(data, "list", "--json"))
    mark = json.loads((data / "sagaledger.json").read_bytes())

    assert "embedder all-minilm-l6-v2 (384 dimensions), not hashing-mmh3-v1 (384" in refused
    assert len(listed) == 1
    assert (mark["embedder"]["name"], mark["embedder"]["identity"]) == (
        "minilm",
        "all-minilm-l6-v2",
    )


def test_damaged_mark_is_refused(data: Path) -> None:
    (data / "sagaledger.json").write_text('{"format": 1, "stores": 7}')

    assert "its sagaledger.json is damaged" in refusal_of(run(data, "list"), UNUSABLE)


@pytest.mark.parametrize(
    ("stores", "why"),
    [
        ('vectors = "sqlite:///events.db"', "stores.vectors sqlite:///events.db lie in the same"),
        ('manifests = "file:///chunks"', "stores.manifests file:///chunks lie in the same"),
        ('manifests = "file:///x/../chunks/m"', "stores.chunks file:///chunks and stores.manif"),
        ('chunks = "file:///."', "lie in the same place; give each its own"),
        ('vectors = "sqlite:///leases.db"', "keeps its leases.db; give it a place of its own"),
        ('chunks = "file:///workers"', "keeps its workers; give it a place of its own"),
        ('events = "sqlite:///sagaledger.json"', "keeps its sagaledger.json; give it a place"),
    ],
)
def test_stores_in_one_place_are_refused_and_nothing_is_made(
    tmp_path: Path, stores: str, why: str
) -> None:
    data, file = tmp_path / "data", tmp_path / "letter.txt"
    data.mkdir()
    file.write_text("a letter")
    (data / "sagaledger.toml").write_text(f"[stores]\n{stores}\n")

    line = refusal_of(run(data, "ingest", file), USAGE)
    checked = run(data, "config", "check")

    assert why in line
    assert (checked.returncode, why in checked.stdout) == (1, True)
    assert [path.name for path in data.iterdir()] == ["sagaledger.toml"]


def test_certification_of_other_stores_is_refused_with_both_named(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "letter.txt"
    file.write_text("a letter")
    json_of(run(data, "ingest", file, "--json"))
    variables = environment(SAGALEDGER_STORES_CHUNKS="file:///others")

    line = refusal_of(run(data, "certify", "--cases", "1", env=variables), UNUSABLE)

    assert "made with stores.chunks file:///chunks, not file:///others" in line


def test_check_leaves_nothing_at_places_that_are_not_made_yet(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir()
    elsewhere.mkdir()
    (data / "sagaledger.toml").write_text(
        f'signer = "file:///{elsewhere}/a/keys"\n[stores]\n'
        f'events = "sqlite:///{elsewhere}/events.db"\n'
        f'vectors = "sqlite:///{elsewhere}/b/vectors.db"\n'
        f'graph = "ladybug:///{elsewhere}/graph.lbug"\nchunks = "file:///{elsewhere}/chunks"\n'
    )

    done = run(data, "config", "check")

    assert done.returncode == 0, done.stdout
    assert f"sqlite:///{elsewhere}/b/vectors.db" in done.stdout
    assert [*elsewhere.iterdir()] == []
    assert [path.name for path in data.iterdir()] == ["sagaledger.toml"]
