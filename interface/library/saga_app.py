"""An app: what registers a user's own saga definitions, named as `module:attribute`."""

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
        """Make the app's definitions known to a ledger.

        Raises:
            AppError: the app raises.
        """
        try:
            self.function(ledger)
        except (Exception, SystemExit) as error:
            raise AppError(self.name, f"it raises {_told(error)}") from error


def load_app(name: str) -> SagaApp:
    """Import an app; the working directory is where modules are looked for first.

    The attribute is a function that takes the ledger, an object whose method `register` does, or
    a `SagaDefinition`.

    Raises:
        AppError: there is no such module or attribute, or it is none of these.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not all(part.isidentifier() for part in attribute.split(".")):
        raise AppError(name, "it has to be given as module:attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise AppError(name, f"its module cannot be imported: {_told(error)}") from error
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
        raise AppError(name, "it is no function, has no `register`, and is no SagaDefinition")
    function: Callable[[Ledger], object] = register
    return function


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {describe(error)}"
