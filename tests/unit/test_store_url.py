"""Store URLs: what they name, what of them is remembered, and what of them is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.store_url import StoreUrl

DATA = Path("/srv/data")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///chunks", "/srv/data/chunks"),
        ("file:////mnt/chunks", "/mnt/chunks"),
        ("SQLite:///a/b%20c.db", "/srv/data/a/b c.db"),
        ("file:///../beside", "/srv/data/../beside"),
    ],
)
def test_path_is_relative_to_the_data_folder_or_absolute(text: str, path: str) -> None:
    assert str(StoreUrl.parse(text).path_in(DATA)) == path


@pytest.mark.parametrize("text", ["file://chunks", "file://", "hashing"])
def test_url_without_a_path_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write \w+:///\w+ for one in the data folder"):
        StoreUrl.parse(text).path_in(DATA)


@pytest.mark.parametrize(
    ("text", "shown", "identity"),
    [
        ("hashing", "hashing", "hashing"),
        ("file:///chunks", "file:///chunks", "file:///chunks"),
        (
            "pg://anna:sesame@db.example:5432/docs?sslmode=require&password=sesame",
            "pg://anna:***@db.example:5432/docs?sslmode=require&password=***",
            "pg://db.example:5432/docs?sslmode=require",
        ),
        ("s3://sesame@bucket/a", "s3://***@bucket/a", "s3://bucket/a"),
        (
            "s3://bucket/a?session_token=sesame&region=eu",
            "s3://bucket/a?session_token=***&region=eu",
            "s3://bucket/a?region=eu",
        ),
    ],
)
def test_secret_is_in_no_text_of_a_url(text: str, shown: str, identity: str) -> None:
    url = StoreUrl.parse(text)

    assert (str(url), url.identity) == (shown, identity)
    assert "sesame" not in repr(url)
    assert url.text == text


def test_parts_of_a_url_are_decoded() -> None:
    url = StoreUrl.parse("pg://an%40na:p%2Fw@DB.example:5432/docs?a=1&b=")

    assert (url.scheme, url.user, url.password) == ("pg", "an@na", "p/w")
    assert (url.host, url.port, url.path, dict(url.query)) == (
        "db.example",
        5432,
        "docs",
        {"a": "1", "b": ""},
    )


@pytest.mark.parametrize("text", ["", "///x", "a b", "1x://y", "sesame:secret@host/db"])
def test_text_that_is_no_url_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        StoreUrl.parse(text)

    assert "sesame" not in str(caught.value)


def test_url_with_an_impossible_port_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the pg URL cannot be read"):
        StoreUrl.parse("pg://host:99999999/db")
