"""Reads settings from the data folder's mark, a file, the environment and arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_type_hints

from sagaledger.domain.config import StreamingSagaConfig
from sagaledger.infrastructure.data_folder import CONFIG_NAME, MARK_NAME
from sagaledger.interface.bootstrap.errors import ConfigurationError
from sagaledger.interface.bootstrap.remembered import remembered
from sagaledger.interface.bootstrap.settings import DEFAULTS, LISTS, Setting, Settings

__all__ = ["load_settings", "unknown_variables"]

_PREFIX = "SAGALEDGER_"
_CONFIG_VARIABLE = "SAGALEDGER_CONFIG"
_OTHER_VARIABLES = {_CONFIG_VARIABLE, "SAGALEDGER_LOG"}
_TABLES = ("stores", "downstream", "ingestion")


def load_settings(
    data: str | Path | None = None,
    config: str | Path | None = None,
    arguments: Iterable[Setting] = (),
    *,
    environment: Mapping[str, str] | None = None,
    data_source: str = "argument",
) -> Settings:
    """The settings of a data folder, or of the one that the configuration names.

    Args:
        data: the data folder; None to take it from the environment or the file.
        config: the file to read instead of the data folder's own; None for `SAGALEDGER_CONFIG`.
        arguments: settings from the call or the command line; they win.
        environment: the variables; those of this process by default.
        data_source: the source of `data`, for messages.

    Raises:
        ConfigurationError: a key is unknown, a value is of a wrong type, or the file is not TOML.
    """
    variables = os.environ if environment is None else environment
    given = [*arguments]
    if data is not None:
        given.append(Setting("data", os.fspath(data), data_source))
    from_environment = list(_from_environment(variables))
    named = config or variables.get(_CONFIG_VARIABLE)
    from_file = list(_from_file(Path(named), names_data=True)) if named else []
    settings = Settings.defaults().with_values([*from_file, *from_environment, *given])
    if not named:
        own = settings.data.expanduser() / CONFIG_NAME
        named = own if _exists(own) else None
        from_file = list(_from_file(own, names_data=False)) if named else []
    remembered = _remembered(settings.data)
    layers = [*remembered, *from_file, *from_environment, *given]
    config_file = Path(named) if named else None
    return Settings(Settings.defaults().with_values(layers).values, config_file)


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like settings but are not: misspelt, or of other programs."""
    variables = os.environ if environment is None else environment
    return sorted(
        name
        for name in variables
        if name.startswith(_PREFIX) and name not in _OTHER_VARIABLES and _key_of(name) is None
    )


def _remembered(data: Path) -> Iterator[Setting]:
    """The stores and the embedder of the data folder. Opening the folder reports its problems."""
    noted = remembered(data)
    if noted is None:
        return
    source = str(data / MARK_NAME)
    for key, url in noted.stores.items():
        if url != DEFAULTS.get(key):
            yield Setting(key, url, source)
    if noted.embedder_name:
        yield Setting("embedder", noted.embedder_name, source)


def _exists(path: Path) -> bool:
    # Opening the data folder reports the problem.
    with suppress(OSError):
        return path.exists()
    return False


def _from_file(path: Path, *, names_data: bool) -> Iterator[Setting]:
    # Imported here: most data folders have no configuration.
    import tomllib

    try:
        with path.expanduser().open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    for key, value in _flattened(path, content):
        if key == "data":
            if not names_data:
                raise ConfigurationError(
                    f"{path}: 'data' is not for the file in the data folder itself; "
                    f"set it in a file given by --config or {_CONFIG_VARIABLE}"
                )
            value = _converted(key, value, str(path), strict=True)
            yield Setting(key, str(path.expanduser().absolute().parent / value), str(path))
        else:
            yield Setting(key, _converted(key, value, str(path), strict=True), str(path))


def _flattened(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys and values of a file, prefixed with the table's name inside tables."""
    for name, value in content.items():
        if name not in _TABLES:
            _require_known(path, name, "", DEFAULTS)
            yield name, value
        elif not isinstance(value, dict):
            raise ConfigurationError(f"{path}: {name!r} must be a table: [{name}]")
        else:
            for inner, inner_value in value.items():
                if name != "downstream":
                    _require_known(path, inner, f"{name}.", DEFAULTS)
                yield f"{name}.{inner}", inner_value


def _require_known(path: Path, name: str, prefix: str, known: Iterable[str]) -> None:
    allowed = [
        key.removeprefix(prefix)
        for key in known
        if key.startswith(prefix) and "." not in key.removeprefix(prefix)
    ]
    if name not in allowed:
        place = f"allowed in [{prefix[:-1]}]" if prefix else "allowed at the top"
        tables = "" if prefix else f", and the tables {', '.join(f'[{t}]' for t in _TABLES)}"
        raise ConfigurationError(
            f"{path}: unknown key {prefix + name!r}; {place}: {', '.join(allowed)}{tables}"
        )


def _from_environment(variables: Mapping[str, str]) -> Iterator[Setting]:
    for name in sorted(variables):
        if name.startswith(_PREFIX) and name not in _OTHER_VARIABLES:
            key = _key_of(name)
            if key is not None:
                text = variables[name]
                value = [part for part in text.split(",") if part] if key in LISTS else text
                yield Setting(key, _converted(key, value, name, strict=False), name)


def _key_of(variable: str) -> str | None:
    rest = variable.removeprefix(_PREFIX).lower()
    if rest.startswith("downstream_") and rest != "downstream_":
        return f"downstream.{rest.removeprefix('downstream_')}"
    return next((key for key in DEFAULTS if key.replace(".", "_") == rest), None)


def _converted(key: str, value: Any, source: str, *, strict: bool) -> Any:
    """The value in the type of its key; without `strict`, text may become a number or a boolean."""
    # Imported here, as above.
    import msgspec

    kind = _type_of(key)
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{source}: {key}: {_sentence(str(error))}") from error


def _type_of(key: str) -> Any:
    if key.startswith("ingestion."):
        return get_type_hints(StreamingSagaConfig)[key.removeprefix("ingestion.")]
    return tuple[str, ...] if key in LISTS else str


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]
