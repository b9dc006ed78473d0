"""The errors of a configuration and of the adapters that it names."""

from __future__ import annotations

from collections.abc import Sequence

from sagaledger.domain.errors import SagaledgerError

__all__ = ["AdapterUnavailableError", "AdapterUnknownError", "ConfigurationError"]


class ConfigurationError(SagaledgerError):
    """A setting cannot be used; the message names its source and the allowed values."""


class AdapterUnknownError(ConfigurationError):
    """No installed package registers an adapter under this name."""

    def __init__(self, noun: str, name: str, known: Sequence[str], group: str) -> None:
        super().__init__(
            f"no {noun} {name!r}; there are {', '.join(known) or 'none'}; "
            f"install the package that registers {name!r} as an entry point of {group}"
        )
        self.noun = noun
        self.name = name
        self.known = tuple(known)


class AdapterUnavailableError(ConfigurationError):
    """An adapter is registered, but cannot be imported or is registered twice."""
