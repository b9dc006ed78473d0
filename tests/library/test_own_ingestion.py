"""An ingestion with a step of a user's own between the nine: one call, and recovery knows it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sagaledger
from sagaledger import (
    Ledger,
    Residue,
    SagaDefinition,
    SagaRollbackRequired,
    SagaStatus,
    SagaStep,
    StepContext,
    build_streaming_upload_saga_definition,
    open_ledger,
)
from sagaledger.application.ingestion.parameters import IngestionParameters
from sagaledger.domain.saga.errors import PlainDataInvalidError, SagaStateError
from sagaledger.domain.values import Value

from tests.support.examination import settled_findings
from tests.support.ledgers import QUICK, what_is_left


class Approvals:
    """A step of a user's own between the nine: somebody has to agree, and it is noted where."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.refuses = False

    def note(self, context: StepContext) -> Path:
        return self.folder / context.saga_id.hex

    def approve(self, context: StepContext) -> dict[str, str]:
        self.note(context).write_text(str(context.outputs["verify"]["sha256"]))
        if self.refuses:
            raise SagaRollbackRequired(sagaledger.RollbackReason.STEP_FAILED, "nobody wants it")
        return {"approved": "yes"}

    def withdraw(self, context: StepContext) -> int:
        self.note(context).unlink(missing_ok=True)
        return 1

    def noted(self, context: StepContext) -> list[Residue]:
        return [Residue("approvals", "note")] if self.note(context).exists() else []

    def register(self, ledger: Ledger) -> None:
        approval = SagaStep("approve", self.approve, self.withdraw, self.noted)
        ledger.register_ingestion(
            "approved-upload", lambda nine: nine.with_step(approval, after="verify")
        )


@pytest.fixture
def approvals(tmp_path: Path) -> Approvals:
    return Approvals(tmp_path / "approvals")


def test_file_is_ingested_with_a_step_of_ones_own_between_the_nine(
    ledger: Ledger, source: Path, approvals: Approvals
) -> None:
    approvals.register(ledger)

    result = ledger.ingest(source, definition="approved-upload")

    assert result.document is not None
    assert result.saga is not None
    assert list(result.saga.timings_s)[3:6] == ["verify", "approve", "secure"]
    assert result.saga.outputs["approve"] == {"approved": "yes"}
    (note,) = approvals.folder.iterdir()
    assert note.read_text() == result.document.sha256
    (row,) = ledger.projector.rows("SELECT state, document_id FROM documents")
    assert tuple(row) == ("committed", result.document.document_id)
    assert settled_findings(ledger.services) == []


def test_ingestion_whose_own_step_fails_undoes_everything(
    ledger: Ledger, source: Path, approvals: Approvals
) -> None:
    approvals.register(ledger)
    approvals.refuses = True

    saga = ledger.ingest(source, definition="approved-upload").saga

    assert saga is not None
    assert (saga.status, saga.errors) == (SagaStatus.COMPENSATED, ("nobody wants it",))
    assert list(approvals.folder.iterdir()) == []
    assert what_is_left(ledger) == {}


def test_ingestion_with_an_own_step_of_a_killed_process_is_recovered_once_it_is_registered(
    tmp_path: Path, source: Path, approvals: Approvals
) -> None:
    arguments = [str(tmp_path / "data"), str(source), str(approvals.folder)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_APPROVAL, *arguments],
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL

    with open_ledger(tmp_path / "data") as ledger:
        (problem,) = ledger.recover().failed.values()
        approvals.register(ledger)
        (result,) = ledger.recover().finished

        assert "'approved-upload' version 1 is not registered" in problem
        assert result.status is SagaStatus.COMPLETED
        assert ledger.document_of(result) is not None
        assert settled_findings(ledger.services) == []


KILLED_APPROVAL = f"""
import os, signal, sys
from pathlib import Path
from sagaledger import open_ledger
from tests.library.test_own_ingestion import Approvals

class Doomed(Approvals):
    def approve(self, context):
        super().approve(context)
        os.kill(os.getpid(), {int(signal.SIGKILL)})

with open_ledger(sys.argv[1]) as ledger:
    Doomed(Path(sys.argv[3])).register(ledger)
    ledger.ingest(sys.argv[2], definition="approved-upload")
"""


def test_own_ingestion_is_recovered_under_the_version_it_began_with(
    ledger: Ledger, source: Path, approvals: Approvals
) -> None:
    approvals.register(ledger)
    ledger.stop()
    begun = ledger.ingest(source, definition="approved-upload").saga
    ledger.orchestrator.stopping.clear()
    ledger.register_ingestion("approved-upload", lambda nine: nine, version=2)
    newer = ledger.ingest(source, definition="approved-upload").saga

    (finished,) = ledger.recover().finished

    assert begun is not None
    assert newer is not None
    assert finished.saga_id == begun.saga_id
    assert "approve" in finished.outputs
    assert "approve" not in newer.outputs


def test_ingestion_that_nobody_registered_is_refused(ledger: Ledger, source: Path) -> None:
    with pytest.raises(SagaStateError, match=r"no ingestion 'approved' .*register_ingestion"):
        ledger.ingest(source, definition="approved")
    with pytest.raises(ValueError, match="give yours a name of its own"):
        ledger.register_ingestion("streaming-upload", lambda nine: nine)
    assert ledger.log.last_position() == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"namespace": None}, "'namespace' is NoneType where text belongs"),
        ({"writer_threads": "2"}, "'writer_threads' is str where a whole number belongs"),
        ({"classification": "private"}, "'classification' is 'private', which is unknown"),
        ({"store_retry": [3, 1.0]}, "'store_retry' has 2 values instead of 5"),
        ({"upload_retry": [3, "soon", 2.0, 1.0, 0.1]}, "'upload_retry[1]' is str where a number"),
        ({"upload_retry": [0, 1.0, 2.0, 1.0, 0.1]}, "'upload_retry' max_attempts must be at"),
        ({"downstream_stores": []}, "'downstream_stores' is not a list of store names"),
    ],
)
def test_error_names_the_malformed_parameter(change: dict[str, Value], told: str) -> None:
    stored = IngestionParameters.from_config("/a", QUICK, ["relational"]).to_stored()

    with pytest.raises(PlainDataInvalidError, match=re.escape(told)):
        IngestionParameters.from_stored({**stored, **change})


def test_nine_steps_run_without_their_parameters_name_the_first_one_missing(
    ledger: Ledger, source: Path
) -> None:
    nine = build_streaming_upload_saga_definition(ledger, QUICK)

    result = ledger.run(nine, {"source": str(source)})

    assert result.status is SagaStatus.COMPENSATED
    expected = "'namespace' is missing from the saga's parameters or a step's output"
    assert result.errors == (expected,)
    assert result.reason == "invalid_state"


def test_extended_upload_undoes_everything_if_its_own_step_fails(
    ledger: Ledger, source: Path
) -> None:
    def refuse(context: StepContext) -> None:
        raise SagaRollbackRequired(sagaledger.RollbackReason.STEP_FAILED, "nobody wants it")

    def build(*_: object) -> SagaDefinition:
        nine = build_streaming_upload_saga_definition(ledger, QUICK)
        steps = [*nine.steps[:-1], SagaStep("approve", refuse), nine.steps[-1]]
        return SagaDefinition("approved-upload", steps, pivot="finalize")

    result = ledger.stream(source, build=build)

    assert (result.status, result.errors) == (SagaStatus.COMPENSATED, ("nobody wants it",))
    assert what_is_left(ledger) == {}
