"""The certification holds for the embedded stores, and does not for one that lies."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sagaledger.application.ingestion.services import IngestionServices
from sagaledger.domain.document.values import DocumentOwner
from sagaledger.domain.errors import StorageBackendError
from sagaledger.domain.ports.graph_store import GraphStore
from sagaledger.infrastructure.chunk_stores import LocalFolderChunkStore
from sagaledger.infrastructure.data_folder import DataFolder
from sagaledger.infrastructure.embedders import open_embedder
from sagaledger.interface.certification.cases import SCENARIOS
from sagaledger.interface.certification.environment import (
    Environment,
    ServicesFactory,
    embedded_in,
)
from sagaledger.interface.certification.guarantees import Guarantee
from sagaledger.interface.certification.runner import Plan, certify
from sagaledger.interface.certification.verdicts import CaseResult, Certificate

from tests.support.commands import run

TEXT = b"whatever goes wrong, a document is there as a whole or it is not there. " * 60


def forget(_result: CaseResult, _total: int) -> None:
    """Nobody watches."""


def environment(folder: Path, open_services: ServicesFactory | None = None) -> Environment:
    folder.mkdir()
    return Environment(
        folder=folder,
        content=TEXT,
        open_services=open_services or embedded_in(open_embedder("hashing")),
        shares_stores=False,
        namespace="certified",
        chunk_size_bytes=2048,
    )


def succeed(data: Path, *arguments: str | Path) -> str:
    ended = run(data, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def failed(certificate: Certificate) -> set[Guarantee]:
    return {failure.guarantee for failure in certificate.failures}


@pytest.mark.parametrize(
    "cases", [60, pytest.param(None, marks=pytest.mark.long)], ids=["some", "all"]
)
def test_embedded_stores_tried_with_one_fault_each_keep_every_guarantee(
    tmp_path: Path, cases: int | None
) -> None:
    plan = Plan(seed=1, max_cases=cases, jobs=1 if cases else 2)

    certificate = certify(environment(tmp_path / "w"), plan, forget)

    assert certificate.failures == []
    assert certificate.tried >= 0.8 * len(certificate.results) > 0
    assert certificate.holds


def test_embedded_stores_tried_with_two_faults_each_keep_every_guarantee(tmp_path: Path) -> None:
    plan = Plan(seed=3, max_cases=0, pairs=48, jobs=1)

    certificate = certify(environment(tmp_path / "w"), plan, forget)

    assert certificate.failures == []
    assert certificate.tried >= 12


class AcknowledgingGraph:
    """A test double: says that it has deleted, and has not."""

    def __init__(self, inner: GraphStore) -> None:
        self._inner = inner
        self.name = inner.name
        self.upsert = inner.upsert
        self.count = inner.count
        self.owners = inner.owners
        self.same_content = inner.same_content
        self.close = inner.close

    def delete(self, owner: DocumentOwner) -> int:
        return self._inner.count(owner)


class AcknowledgingChunks(LocalFolderChunkStore):
    """A test double: says that it has deleted a chunk, and lists it no more, but keeps it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._root_of_all = root

    def delete(self, key: str) -> bool:
        return (self._root_of_all / key).exists()


def with_lying_graph(folder: DataFolder) -> IngestionServices:
    services = embedded_in(open_embedder("hashing"))(folder)
    services.graph = AcknowledgingGraph(services.graph)
    return services


def with_lying_chunks(folder: DataFolder) -> IngestionServices:
    services = embedded_in(open_embedder("hashing"))(folder)
    services.chunks = AcknowledgingChunks(folder.chunks)
    return services


@pytest.mark.parametrize("open_services", [with_lying_graph, with_lying_chunks])
def test_store_that_acknowledges_deletes_without_doing_them_is_not_certified(
    tmp_path: Path, open_services: ServicesFactory
) -> None:
    undoing = tuple(s for s in SCENARIOS if s.name in ("rollback", "deletion"))
    plan = Plan(max_cases=6, jobs=1, scenarios=undoing)

    certificate = certify(environment(tmp_path / "w", open_services), plan, forget)

    assert not certificate.holds
    assert Guarantee.G8 in failed(certificate)


def test_store_that_does_not_even_work_is_refused(tmp_path: Path) -> None:
    def broken(folder: DataFolder) -> IngestionServices:
        raise StorageBackendError("graph", "open", "it is not there")

    with pytest.raises(StorageBackendError, match="it is not there"):
        certify(environment(tmp_path / "w", broken), Plan(), forget)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str | None] = []
        self.tables = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tables += tag == "table"
        self.addresses += [value for name, value in attrs if name in ("src", "href")]


def test_command_on_new_stores_prints_a_line_per_guarantee_and_files_reports(
    tmp_path: Path,
) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"

    printed = succeed(
        tmp_path / "data",
        *("certify", "--cases", "6", "--duration", "0", "--report", report, "--html", page),
    )

    lines = printed.splitlines()
    assert [line.split()[0] for line in lines[1:10]] == [g.value for g in Guarantee]
    assert lines[-1] == "every guarantee held"
    facts = json.loads(report.read_bytes())
    assert (facts["format"], facts["holds"]) == ("sagaledger-certificate/1", True)
    assert facts["cases_total"] > 1000
    assert len(facts["cases"]) == facts["cases_run"] == 6
    assert {g["failed"] for g in facts["guarantees"]} == {0}
    shown = Tags(page.read_text())
    assert (shown.tables, shown.addresses) == (4, [])
    assert not (tmp_path / "data").exists()


def test_command_on_a_data_folder_leaves_it_as_it_was(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "file.txt"
    file.write_bytes(TEXT)
    succeed(data, "ingest", file)
    before = succeed(data, "list", "--json"), succeed(data, "list", "--all", "--json")

    facts = json.loads(succeed(data, "certify", "--cases", "5", "--duration", "0", "--json"))

    assert facts["about"]["stores"] == "shared"
    assert (facts["holds"], facts["leftovers"]) == (True, [])
    assert (succeed(data, "list", "--json"), succeed(data, "list", "--all", "--json")) == before
    assert len(list((data / "chunks").iterdir())) == len(list((data / "manifests").iterdir())) == 1
    assert "signature: valid" in succeed(data, "verify", "default-")


def test_command_told_which_faults_tries_no_others_and_says_so(tmp_path: Path) -> None:
    options = ("--cases", "4", "--pairs", "2", "--duration", "0", "--jobs", "1")

    facts = json.loads(
        succeed(tmp_path / "data", "certify", *options, "--fault", "crash-before", "--json")
    )

    assert facts["about"]["faults"] == "crash before"
    tried = [case["case"].partition(": ")[2].split("; ") for case in facts["cases"]]
    assert sorted(map(len, tried)) == [1, 1, 1, 1, 2, 2]
    assert {fault.partition(" at ")[0] for faults in tried for fault in faults} == {"crash before"}


def test_command_without_time_for_a_single_case_does_not_certify(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "certify", "--duration", "0.001")

    assert ended.returncode == 12
    assert "NOT certified: nothing was tried" in ended.stdout
