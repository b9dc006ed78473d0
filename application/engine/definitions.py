"""Which saga definitions this process knows: a saga finishes under the one it began with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import DefinitionUnknownError
from sagaledger.domain.values import Parameters

__all__ = ["DefinitionFactory", "DefinitionRegistry"]

DefinitionFactory: TypeAlias = Callable[[Parameters], SagaDefinition]
"""Builds a definition from the parameters that a saga was started with, so that settings kept in
the parameters hold after a restart too."""


class DefinitionRegistry:
    """Definitions by name and version."""

    def __init__(self) -> None:
        self._factories: dict[tuple[str, int], DefinitionFactory] = {}

    def register(self, definition: SagaDefinition) -> None:
        """Make a definition known; one with the same name and version is replaced."""
        self.register_factory(definition.name, definition.version, lambda _: definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Make a definition known that depends on the saga's parameters."""
        self._factories[name, version] = factory

    def get(self, name: str, version: int, parameters: Parameters) -> SagaDefinition:
        """The definition for a saga.

        Raises:
            DefinitionUnknownError: this process has not registered it.
        """
        factory = self._factories.get((name, version))
        if factory is None:
            raise DefinitionUnknownError(name, version)
        return factory(parameters)
