"""The page of every setting, from the defaults and the classes that hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.interface.bootstrap.registry import AdapterKind
from sagaledger.interface.bootstrap.settings import DEFAULTS, LISTS, SNAPSHOTS, STORES

from reference.markdown import attribute_docs, table

__all__ = ["configuration_page"]

_INTRODUCTION = """\
# Configuration

Nothing has to be configured. What differs from the defaults stands in `sagaledger.toml`: in the
data folder, or where `--config` or `SAGALEDGER_CONFIG` says. Later sources win: the defaults,
what the data folder was made with, the file, the environment, then arguments and flags. A key
`stores.chunks` is `chunks` in the table `[stores]` of the file. `sagaledger config show` prints
what holds and where each value comes from, without secrets; `sagaledger config check` opens
each part, writes a probe, reads it and deletes it. This page is made from the code (`nox -s
reference`)."""

_PARTS = """\
## Parts

A part is chosen by a URL, or by a name where it needs no address. `scheme:///path` lies in the
data folder, `scheme:////path` at the absolute path. The scheme is the name of an entry point of
the group that the part's kind has ([add a store](../how-to/add-a-store.md))."""

_MEANINGS = {
    "data": "The data folder.",
    "app": "Where sagas of one's own are registered, `module:attribute`; also `--app`.",
    "embedder": "What makes the vectors.",
    "signer": "Where the key is that signs manifests.",
    SNAPSHOTS: "Where states of uploads are kept, so that a long history loads fast.",
}


def configuration_page() -> str:
    """The page, as Markdown."""
    lines = [_INTRODUCTION, "", "## Settings", ""]
    lines += table(("key", "variable", "default", "meaning"), _settings())
    lines += ["", _PARTS, ""]
    groups = ((kind.noun, f"`{kind.group}`") for kind in AdapterKind)
    lines += table(("kind", "group of entry points"), groups)
    return "\n".join(lines) + "\n"


def _settings() -> Iterator[tuple[str, str, str, str]]:
    ingestion = attribute_docs(StreamingSagaConfig)
    for key, value in DEFAULTS.items():
        table_name, _, name = key.rpartition(".")
        if key in STORES:
            meaning = f"The {STORES[key].noun}."
        elif key in LISTS:
            meaning = f"Each {LISTS[key].noun} used beside those that ship."
        else:
            meaning = ingestion.get(name, "") if table_name == "ingestion" else _MEANINGS[key]
        variable = f"SAGALEDGER_{key.replace('.', '_').upper()}"
        yield f"`{key}`", f"`{variable}`", _shown(value), meaning
    yield (
        "`downstream.<name>`",
        "`SAGALEDGER_DOWNSTREAM_<NAME>`",
        "",
        f"A further {AdapterKind.DOWNSTREAM_STORE.noun}, under a name of your choice.",
    )


def _shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, Enum):
        value = value.value
    return f"`{json.dumps(value)}`"
