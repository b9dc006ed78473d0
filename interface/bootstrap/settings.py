"""The settings: one value per key, and where each comes from.

Later sources win: the defaults, what the data folder was made with, `sagaledger.toml`, the
environment, then arguments and flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.registry import AdapterKind
from sagaledger.interface.bootstrap.remembered import EMBEDDED_STORES
from sagaledger.interface.bootstrap.store_url import StoreUrl

__all__ = [
    "DEFAULTS",
    "DEFAULT_DATA",
    "DEFAULT_SOURCE",
    "LISTS",
    "LOCAL_SCHEMES",
    "SNAPSHOTS",
    "STORES",
    "Setting",
    "Settings",
    "parsed_url",
    "shown_value",
]

DEFAULT_DATA = "sagaledger-data"
DEFAULT_SOURCE = "default"

STORES = {
    "stores.events": AdapterKind.EVENT_STORE,
    "stores.chunks": AdapterKind.CHUNK_STORE,
    "stores.vectors": AdapterKind.VECTOR_STORE,
    "stores.graph": AdapterKind.GRAPH_STORE,
    "stores.relational": AdapterKind.RELATIONAL_STORE,
    "stores.manifests": AdapterKind.MANIFEST_STORE,
}
"""The stores that every data folder has."""

SNAPSHOTS = "stores.snapshots"
"""Where the states of uploads are kept. A data folder does not remember it: snapshots are never
evidence, and another place only makes the next loading of a long history slower."""

LISTS = {
    "text_formats": AdapterKind.TEXT_FORMAT,
    "observers": AdapterKind.OBSERVER,
    "participants": AdapterKind.PARTICIPANT,
    "projections": AdapterKind.PROJECTION,
    "sagas": AdapterKind.SAGA,
}
"""What is used beside what ships: URLs or names, in this order."""

DEFAULTS: Mapping[str, Any] = {
    "data": DEFAULT_DATA,
    "embedder": "hashing",
    "signer": "file:///keys",
    "app": "",
    **dict.fromkeys(LISTS, ()),
    **EMBEDDED_STORES,
    SNAPSHOTS: "sqlite:///events.db",
    **{f"ingestion.{field.name}": field.default for field in fields(StreamingSagaConfig)},
}
"""Every key but those of further downstream stores, which the user names: `downstream.<name>`."""


LOCAL_SCHEMES = frozenset({"file", "sqlite", "ladybug"})
"""The schemes of the stores that ship: their URLs are paths."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value."""

    key: str
    value: Any
    source: str
    """`default`, the file, the environment variable, or the flag that it comes from."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for one data folder."""

    values: Mapping[str, Setting]
    """By key, every one of `DEFAULTS` at least."""
    config_file: Path | None = None
    """The file that was read, if there is one."""

    @classmethod
    def defaults(cls) -> Settings:
        """What holds where nothing is configured."""
        return cls({key: Setting(key, value, DEFAULT_SOURCE) for key, value in DEFAULTS.items()})

    def with_values(self, settings: Sequence[Setting]) -> Settings:
        """These settings with others in their place."""
        return replace(self, values={**self.values, **{s.key: s for s in settings}})

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.values["data"].value)

    @property
    def downstream(self) -> dict[str, Setting]:
        """The further downstream stores, by the name that the user gave."""
        prefix = "downstream."
        return {
            key.removeprefix(prefix): setting
            for key, setting in sorted(self.values.items())
            if key.startswith(prefix)
        }

    def url(self, key: str) -> StoreUrl:
        """The URL under a key.

        Raises:
            ConfigurationError: it is not one.
        """
        setting = self.values[key]
        return parsed_url(setting, setting.value)

    def urls(self, key: str) -> list[StoreUrl]:
        """The URLs of a list, in order.

        Raises:
            ConfigurationError: one is not a URL.
        """
        setting = self.values[key]
        return [parsed_url(setting, text) for text in setting.value]

    def store_identities(self) -> dict[str, str]:
        """Which stores these are, without secrets: what a data folder remembers."""
        keys = [*STORES, *(f"downstream.{name}" for name in self.downstream)]
        return {key: self.url(key).identity for key in keys}

    def is_within_data_folder(self) -> bool:
        """Whether every store is a file or folder of the data folder: a copy of it has its own."""
        urls = [self.url(key) for key in self.store_identities()]
        return all(
            url.scheme in LOCAL_SCHEMES and not url.host and not url.path.startswith("/")
            for url in urls
        )

    def ingestion(self) -> StreamingSagaConfig:
        """How sagas of this data folder behave.

        Raises:
            ConfigurationError: a value is out of its range.
        """
        chosen = {
            field.name: self.values[f"ingestion.{field.name}"]
            for field in fields(StreamingSagaConfig)
        }
        for name, setting in chosen.items():
            # One by one first: the error then says which.
            _built({name: setting.value}, f"{setting.source}: {setting.key}")
        return _built({name: s.value for name, s in chosen.items()}, "ingestion")


def shown_value(setting: Setting) -> Any:
    """The value of a setting with every secret of its URLs masked.

    Raises:
        ConfigurationError: it is not a URL where there has to be one.
    """
    if setting.key in ("data", "app") or setting.key.startswith("ingestion."):
        return setting.value
    if isinstance(setting.value, str):
        return str(parsed_url(setting, setting.value))
    return tuple(str(parsed_url(setting, text)) for text in setting.value)


def parsed_url(setting: Setting, text: str) -> StoreUrl:
    """The URL that a setting holds.

    Raises:
        ConfigurationError: it is not one.
    """
    try:
        return StoreUrl.parse(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{setting.source}: {setting.key}: {error}") from error


def _built(values: Mapping[str, Any], where: str) -> StreamingSagaConfig:
    try:
        return StreamingSagaConfig(**values)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from error
