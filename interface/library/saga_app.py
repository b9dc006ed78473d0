"""An app: registers a user's saga definitions, and is named as `module:attribute`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from sagaledger.domain.errors import describe
from sagaledger.domain.saga.definition import SagaDefinition
from sagaledger.interface.library.errors import AppError
from sagaledger.interface.library.ledger import Ledger

__all__ = ["SagaApp", "load_app"]


@dataclass(frozen=True, slots=True)
class SagaApp:
    """Registers definitions on a ledger."""

    name: str
    function: Callable[[Ledger], object]

    def register(self, ledger: Ledger) -> None:
        """Register the app's definitions on a ledger.

        Raises:
            AppError: The app raises.
        """
        try:
            self.function(ledger)
        except (Exception, SystemExit) as error:
            raise AppError(self.name, f"it raises {_description(error)}") from error


def load_app(name: str) -> SagaApp:
    """Import an app. The working directory is searched first.

    The attribute is a function that takes the ledger, an object whose method `register` does, or
    a `SagaDefinition`.

    Raises:
        AppError: The module or attribute does not exist, or is not one of these.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not all(part.isidentifier() for part in attribute.split(".")):
        raise AppError(name, "it must have the form module:attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise AppError(name, f"its module cannot be imported: {_description(error)}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise AppError(name, f"module {module_name!r} has no {attribute!r}")
        found = getattr(found, part)
    return SagaApp(name, _registration(name, found))


def _registration(name: str, found: object) -> Callable[[Ledger], object]:
    if isinstance(found, SagaDefinition):
        definition = found
        return lambda ledger: ledger.register(definition)
    if isinstance(found, type):
        raise AppError(name, "it is a class: name a function, an object or a definition")
    register = found if callable(found) else getattr(found, "register", None)
    if not callable(register):
        raise AppError(name, "it is not a function, an object with `register`, or a SagaDefinition")
    function: Callable[[Ledger], object] = register
    return function


def _description(error: BaseException) -> str:
    return f"{type(error).__name__}: {describe(error)}"
