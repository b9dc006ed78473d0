"""The saga definitions of this process. A saga finishes under the definition it started with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.domain.saga.errors import DefinitionMismatchError, DefinitionUnknownError
from sagaledger.domain.saga.state import Saga
from sagaledger.domain.values import Parameters

__all__ = ["DefinitionFactory", "DefinitionRegistry"]

DefinitionFactory: TypeAlias = Callable[[Parameters], SagaDefinition]
"""Builds a definition from the start parameters of a saga, so that settings in the parameters
still apply after a restart."""


class DefinitionRegistry:
    """Definitions by name and version. All versions of a name stay registered, so that a
    saga of an older version still finishes after an upgrade.
    """

    def __init__(self) -> None:
        self._factories: dict[tuple[str, int], DefinitionFactory] = {}

    def register(self, definition: SagaDefinition) -> None:
        """Register a definition in addition to other versions of its name. A definition with the
        same name and version is replaced.
        """
        self.register_factory(definition.name, definition.version, lambda _: definition)

    def register_factory(self, name: str, version: int, factory: DefinitionFactory) -> None:
        """Register a definition that depends on the saga's parameters."""
        self._factories[name, version] = factory

    def definition_of(self, saga: Saga) -> SagaDefinition:
        """The definition that a saga started under.

        Raises:
            DefinitionUnknownError: This process has not registered the definition.
            DefinitionMismatchError: The registered definition has other steps.
        """
        name, version = saga.definition, saga.definition_version
        factory = self._factories.get((name, version))
        if factory is None:
            raise DefinitionUnknownError(name, version)
        definition = factory(saga.parameters)
        if definition.step_names != tuple(saga.steps):
            raise DefinitionMismatchError(name, version, tuple(saga.steps), definition.step_names)
        return definition
