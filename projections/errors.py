"""The errors of reading and exporting read models."""

from __future__ import annotations

from sagaledger.domain.errors import SagaledgerError

__all__ = ["ExportUnavailableError", "ProjectionNewerError", "QueryRefusedError"]


class ExportUnavailableError(SagaledgerError):
    """The library that writes this format is not installed."""

    def __init__(self, form: str, extra: str) -> None:
        super().__init__(f"{form} cannot be written: pip install 'sagaledger[{extra}]'")
        self.form = form
        self.extra = extra


class ProjectionNewerError(SagaledgerError):
    """A newer version has written a projection's rows; this version could misread them."""

    def __init__(self, name: str, found: int, known: int) -> None:
        super().__init__(
            f"projection {name!r} has version {found}, this program supports {known}: a newer "
            "version of sagaledger wrote it; upgrade"
        )
        self.name = name
        self.found = found
        self.known = known


class QueryRefusedError(SagaledgerError):
    """Not a read-only SELECT over the read models."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the query cannot be answered: {detail}")
        self.detail = detail
