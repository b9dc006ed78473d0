"""Settings: which source wins, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sagaledger.domain.document.values import Classification
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.settings import Setting, Settings, shown_value
from sagaledger.interface.bootstrap.sources import load_settings, unknown_variables


def loaded(
    data: Path,
    content: str = "",
    flag: Setting | None = None,
    **variables: str,
) -> Settings:
    data.mkdir(exist_ok=True)
    if content:
        (data / "sagaledger.toml").write_text(content)
    return load_settings(data, arguments=[flag] if flag else [], environment=variables)


def refusal(data: Path, content: str = "", **variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(data, content, None, **variables).ingestion()
    return str(caught.value)


def test_nothing_configured_gives_the_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "data")

    assert settings.values.keys() == Settings.defaults().values.keys()
    assert {s.source for s in settings.values.values() if s.key != "data"} == {"default"}
    assert settings.config_file is None


def test_each_source_wins_over_those_before_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    content = '[ingestion]\nwriter_threads = 2\nnamespace = "file"\nclassification = "secret"\n'
    flag = Setting("ingestion.classification", Classification.PUBLIC, "--classification")

    settings = loaded(data, content, flag, SAGALEDGER_INGESTION_NAMESPACE="environment")

    sources = {
        key: settings.values[f"ingestion.{key}"].source
        for key in ("writer_threads", "namespace", "classification", "compress")
    }
    assert sources == {
        "writer_threads": str(data / "sagaledger.toml"),
        "namespace": "SAGALEDGER_INGESTION_NAMESPACE",
        "classification": "--classification",
        "compress": "default",
    }
    config = settings.ingestion()
    assert (config.writer_threads, config.namespace) == (2, "environment")
    assert config.classification is Classification.PUBLIC


def test_text_of_the_environment_becomes_what_the_key_holds(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path / "data",
        SAGALEDGER_INGESTION_COMPRESS="true",
        SAGALEDGER_INGESTION_DEADLINE_S="1.5",
        SAGALEDGER_INGESTION_CHUNK_SIZE_BYTES="4096",
        SAGALEDGER_INGESTION_CLASSIFICATION="secret",
        SAGALEDGER_TEXT_FORMATS="mail,notes",
        SAGALEDGER_DOWNSTREAM_SEARCH="terms:///terms.db",
        SAGALEDGER_STORES_CHUNKS="file:////srv/chunks",
    )

    config = settings.ingestion()
    assert (config.compress, config.deadline_s, config.chunk_size_bytes) == (True, 1.5, 4096)
    assert config.classification is Classification.SECRET
    assert [url.scheme for url in settings.urls("text_formats")] == ["mail", "notes"]
    assert settings.downstream["search"].value == "terms:///terms.db"
    assert settings.url("stores.chunks").path_in(tmp_path) == Path("/srv/chunks")


def test_file_outside_the_data_folder_says_where_the_folder_is(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "ours.toml"
    config.parent.mkdir()
    config.write_text('data = "../var"\n')

    by_argument = load_settings(config=config, environment={})
    by_variable = load_settings(environment={"SAGALEDGER_CONFIG": str(config)})
    overridden = load_settings(config=config, environment={"SAGALEDGER_DATA": "elsewhere"})

    assert by_argument.data.resolve() == by_variable.data.resolve() == tmp_path / "var"
    assert overridden.data == Path("elsewhere")
    assert overridden.values["data"].source == "SAGALEDGER_DATA"


def test_file_given_replaces_the_one_in_the_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "sagaledger.toml").write_text("[ingestion]\nwriter_threads = 2\ncompress = true\n")
    config = tmp_path / "ours.toml"
    config.write_text("[ingestion]\nwriter_threads = 3\n")

    chosen = load_settings(data, config, environment={}).ingestion()

    assert (chosen.writer_threads, chosen.compress) == (3, False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("stores", "not TOML: "),
        ("speed = 1", "unknown key 'speed'; allowed at the top: data, embedder, signer"),
        ("stores = 1", "'stores' has to be a table: [stores]"),
        (
            '[stores]\nchunk = "x"',
            "unknown key 'stores.chunk'; allowed in [stores]: events, chunks, vectors",
        ),
        ("[ingestion]\nspeed = 1", "unknown key 'ingestion.speed'; allowed in [ingestion]: max_"),
        (
            "[ingestion]\nwriter_threads = '2'",
            "ingestion.writer_threads: expected `int`, got `str`",
        ),
        ("[ingestion]\ncompress = 1", "ingestion.compress: expected `bool`, got `int`"),
        ("[ingestion]\nclassification = 'x'", "ingestion.classification: invalid enum value 'x'"),
        ("[ingestion]\nwriter_threads = 0", "ingestion.writer_threads: writer_threads must be at"),
        ("[ingestion]\nlease_s = 0.5", "ingestion.lease_s: lease must be at least 1 s"),
        ("embedder = 1", "embedder: expected `str`, got `int`"),
        ("observers = 'x'", "observers: expected `array`, got `str`"),
        ("observers = [1]", "observers: expected `str`, got `int`"),
        ("[downstream]\nsearch = 1", "downstream.search: expected `str`, got `int`"),
        ("data = 'x'", "'data' is not for the file in the data folder itself"),
    ],
)
def test_file_that_is_not_as_it_has_to_be_names_file_key_and_what_is_allowed(
    tmp_path: Path, content: str, why: str
) -> None:
    line = refusal(tmp_path / "data", content)

    assert line.startswith(f"{tmp_path / 'data' / 'sagaledger.toml'}: {why}")


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        load_settings(tmp_path, tmp_path / "none.toml", environment={})


def test_variable_of_a_wrong_type_is_named(tmp_path: Path) -> None:
    line = refusal(tmp_path / "data", SAGALEDGER_INGESTION_WRITER_THREADS="many")

    assert line.startswith("SAGALEDGER_INGESTION_WRITER_THREADS: ingestion.writer_threads: ")


def test_variables_of_others_are_told_of_and_change_nothing(tmp_path: Path) -> None:
    variables = {"SAGALEDGER_SERVICE_HOST": "10.0.0.1", "SAGALEDGER_EMBEDER": "x", "HOME": "/"}

    settings = loaded(tmp_path / "data", "", None, **variables)

    assert settings.values["embedder"].value == "hashing"
    assert unknown_variables({**variables, "SAGALEDGER_LOG": "x", "SAGALEDGER_DATA": "y"}) == [
        "SAGALEDGER_EMBEDER",
        "SAGALEDGER_SERVICE_HOST",
    ]


def test_text_that_is_no_url_names_its_source(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "data", SAGALEDGER_STORES_GRAPH="a sesame")

    with pytest.raises(ConfigurationError) as caught:
        settings.url("stores.graph")

    assert str(caught.value).startswith("SAGALEDGER_STORES_GRAPH: stores.graph: not a URL")
    assert "sesame" not in str(caught.value)


def test_secret_is_not_shown_and_not_remembered(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "data", SAGALEDGER_STORES_GRAPH="neo://anna:sesame@host/g")

    shown = [shown_value(setting) for setting in settings.values.values()]
    assert "neo://anna:***@host/g" in shown
    assert settings.store_identities()["stores.graph"] == "neo://host/g"


def test_what_the_folder_was_made_with_counts_before_any_default(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    stores = {**Settings.defaults().store_identities(), "downstream.search": "terms:///t.db"}
    embedder = {"name": "minilm", "identity": "all-minilm-l6-v2", "dimension": 384}
    mark = {"format": 2, "stores": {**stores, "stores.chunks": "s3://bucket"}, "embedder": embedder}
    (data / "sagaledger.json").write_text(json.dumps(mark))

    settings = loaded(data, SAGALEDGER_EMBEDDER="hashing")

    assert settings.values["stores.chunks"] == Setting(
        "stores.chunks", "s3://bucket", str(data / "sagaledger.json")
    )
    assert settings.downstream["search"].value == "terms:///t.db"
    assert settings.values["stores.graph"].source == "default"
    assert settings.values["embedder"].value == "hashing"
    assert loaded(data).values["embedder"].value == "minilm"
