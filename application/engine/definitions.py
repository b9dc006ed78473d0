"""Which saga definitions this process knows: a saga finishes under the one it began with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import DefinitionMismatchError, DefinitionUnknownError
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.values import Parameters

__all__ = ["DefinitionFactory", "DefinitionRegistry"]

DefinitionFactory: TypeAlias = Callable[[Parameters], SagaDefinition]
"""Builds a definition from the parameters that a saga was started with, so that settings kept in
the parameters hold after a restart too."""


class DefinitionRegistry:
    """Definitions by name and version. All versions of a name stay registered side by side, so
    that a saga of an older one still finishes after an upgrade.
    """

    def __init__(self) -> None:
        self._factories: dict[tuple[str, int], DefinitionFactory] = {}

    def register(self, definition: SagaDefinition) -> None:
        """Make a definition known beside other versions of its name; the same version of it is
        replaced.
        """
        self.register_factory(definition.name, definition.version, lambda _: definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Make a definition known that depends on the saga's parameters."""
        self._factories[name, version] = factory

    def definition_of(self, saga: Saga) -> SagaDefinition:
        """The definition that a saga began under.

        Raises:
            DefinitionUnknownError: this process has not registered it.
            DefinitionMismatchError: what is registered has other steps.
        """
        name, version = saga.definition, saga.definition_version
        factory = self._factories.get((name, version))
        if factory is None:
            raise DefinitionUnknownError(name, version)
        definition = factory(saga.parameters)
        if definition.step_names != tuple(saga.steps):
            raise DefinitionMismatchError(name, version, tuple(saga.steps), definition.step_names)
        return definition
