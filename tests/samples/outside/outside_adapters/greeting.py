"""A saga that recovery has to know."""

from __future__ import annotations

from collections.abc import Callable

from sagaledger import Ledger, SagaDefinition, SagaStep, StepContext
from sagaledger.ports import AdapterContext, StoreUrl


def greet(context: StepContext) -> dict[str, str]:
    return {"greeted": str(context.parameters["whom"])}


GREETING = SagaDefinition("greeting", [SagaStep("greet", greet)], 1)


def open_registrar(_url: StoreUrl, _context: AdapterContext) -> Callable[[Ledger], None]:
    return lambda ledger: ledger.register(GREETING)
