"""The outcomes of ingested files, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sagaledger.application.ingestion.outcome import IngestResult
from sagaledger.domain.document.records import DocumentRecord
from sagaledger.domain.errors import SagaledgerError, describe
from sagaledger.domain.saga.result import SagaExecutionResult
from sagaledger.domain.saga.values import RollbackReason, SagaStatus
from sagaledger.interface.cli.exit_codes import ExitCode, code_of_error, code_of_result
from sagaledger.interface.cli.render.figures import bytes_text, counted, duration_text
from sagaledger.interface.cli.render.output import say, warn
from sagaledger.interface.library.plain_data import plain

__all__ = ["FileOutcome", "report_file", "report_files"]

_RESIDUE_SHOWN = 3
_WORDS = {
    SagaStatus.COMPENSATED: "rolled back, nothing left",
    SagaStatus.COMPENSATION_FAILED: "rolled back, but not all could be removed",
    SagaStatus.FAILED: "parked",
}
_ADVICE = {RollbackReason.STORAGE_FULL.value: "free some space and ingest it again"}


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The outcome of one file; a result of None means that it was not started."""

    path: str
    result: IngestResult | SagaledgerError | None

    @property
    def document(self) -> DocumentRecord | None:
        """The committed document, new or found."""
        return self.result.document if isinstance(self.result, IngestResult) else None

    @property
    def saga(self) -> SagaExecutionResult | None:
        """The saga of its ingestion."""
        return self.result.saga if isinstance(self.result, IngestResult) else None

    @property
    def saga_id(self) -> UUID | None:
        """The saga's id."""
        return self.saga.saga_id if self.saga else None

    @property
    def code(self) -> ExitCode:
        """The exit code for this file alone."""
        if self.result is None:
            return ExitCode.UNFINISHED
        if isinstance(self.result, SagaledgerError):
            return code_of_error(self.result)
        return ExitCode.OK if self.saga is None else code_of_result(self.saga)

    @property
    def is_open(self) -> bool:
        """Whether its saga is unfinished."""
        return self.code is ExitCode.UNFINISHED

    @property
    def word(self) -> str:
        """The word for the summary."""
        if self.document is not None:
            return "committed" if self.saga is not None else "existed already"
        if self.result is None:
            return "not started"
        return "unfinished" if self.is_open else "failed"

    def plain(self) -> dict[str, Any]:
        """The outcome as plain data for JSON, always with the same keys."""
        result = self.result if isinstance(self.result, IngestResult) else None
        return {
            "source": self.path,
            "existed": result is not None and result.existed,
            "document": plain(self.document),
            "saga": plain(self.saga),
            "shared_with": plain(result.shared_with) if result else [],
            "error": describe(self.result) if isinstance(self.result, SagaledgerError) else None,
            "exit_code": int(self.code),
        }


def report_file(outcome: FileOutcome) -> None:
    """Print a document's facts to standard output, or the failure to standard error."""
    if outcome.document is None:
        warn(f"{outcome.path}: {_why_not(outcome)}")
        residues = outcome.saga.residue if outcome.saga else ()
        for residue in residues[:_RESIDUE_SHOWN]:
            warn(f"  left      {residue.store}: {residue.ref} ({residue.detail})")
        if len(residues) > _RESIDUE_SHOWN:
            warn(f"  left      {len(residues) - _RESIDUE_SHOWN:,} more; see `sagaledger orphans`")
        return
    document = outcome.document
    text = f"{document.passage_count} ({document.media_type}"
    text += f"; {document.text_note})" if document.text_note else ")"
    say(f"{outcome.path}: {outcome.word}")
    say(f"  document  {document.document_id}")
    chunks = counted(document.chunk_count, "chunk")
    say(f"  size      {bytes_text(document.size_bytes)} in {chunks}")
    say(f"  sha256    {document.sha256}")
    say(f"  passages  {text}")
    if outcome.saga is not None:
        times = ", ".join(f"{n} {duration_text(s)}" for n, s in outcome.saga.timings_s.items())
        say(f"  time      {duration_text(sum(outcome.saga.timings_s.values()))}: {times}")
    assert isinstance(outcome.result, IngestResult)
    for other in outcome.result.shared_with:
        say(f"  note      saga {other.hex[:12]} was reading the same file")


def report_files(outcomes: Sequence[FileOutcome]) -> None:
    """Print the number of files per outcome."""
    if len(outcomes) < 2:
        return
    counts = Counter(outcome.word for outcome in outcomes)
    words = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))
    say(f"{counted(len(outcomes), 'file')}: {words}")


def _why_not(outcome: FileOutcome) -> str:
    if isinstance(outcome.result, SagaledgerError):
        return f"error: {describe(outcome.result)}"
    saga = outcome.saga
    assert saga is not None
    name = f"saga {saga.saga_id.hex}"
    if saga.paused:
        return f"paused; `sagaledger resume {saga.saga_id.hex}` continues it"
    if saga.status.is_open:
        errors = f": {'; '.join(saga.errors)}" if saga.errors else ""
        return f"not finished{errors}; `sagaledger recover` continues {name}"
    words = f"{_WORDS[saga.status]} ({saga.reason or 'no reason recorded'})"
    errors = "; ".join((*saga.errors, *saga.compensation_errors))
    advice = f"; {_ADVICE[saga.reason]}" if saga.reason in _ADVICE else ""
    if saga.status is not SagaStatus.COMPENSATED:
        advice = "; `sagaledger sweep` tries again"
    return f"{words}: {errors}{advice}; {name}"
