"""The house rules that no linter knows: lengths, names, words, records, and what may not be named.

A rule that does not fit somewhere gets a named exception with its reason, or is changed here.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = SETTINGS["tool"]["setuptools"]["package-dir"].values()
FOLDERS = (*ROOMS, "reference", "benchmarks", "docs", "examples", "tests", ".ci", ".github")
KEPT = ROOT / "tests" / "data"
"""What earlier versions wrote, with the programs of then: nothing there is changed."""

MODULE_LINES = 300
LONGEST_EXCEPTION = 460
LONG_MODULES = {
    "application/engine/orchestrator.py": "one loop with its recovery, read from top to bottom",
    "domain/saga/decisions.py": "one decision, and the pure leaves that it calls",
    "domain/saga/state.py": "one fold over all events of a saga",
    "infrastructure/relational_stores/sqlalchemy_store.py": "one adapter of the widest port",
    "interface/certification/oracle.py": "every guarantee's judgement side by side",
    "interface/library/ledger.py": "every method that a ledger has",
    "projections/engine/projector.py": "one loop with its rebuild",
    "projections/read_models/sagas.py": "every event that changes a saga's row",
    "tests/library/test_document_facts.py": "one document's facts from its first to its last",
    "tests/library/test_fourth_store.py": "a store of a new kind, through the whole list",
    "tests/library/test_own_saga.py": "one table of sagas and outcomes",
    "tests/library/test_watch.py": "one table of alerts and what raises them",
    "tests/properties/test_projections.py": "one model of all read models",
    "tests/properties/test_saga_machine.py": "one state machine",
    "tests/support/driven_sagas.py": "one vocabulary of given, when and then",
    "tests/test_tidy.py": "every house rule, and its words",
    "tests/unit/test_orchestrator.py": "given, when, then of one class",
    "tests/unit/test_saga_control.py": "given, when, then of one class",
    "tests/unit/test_upload.py": "given, when, then of one class",
}

FUNCTION_LINES = 45
LONG_FUNCTIONS = {
    "benchmarks/ingest.py::against_cp": "one figure after the other",
    "benchmarks/sagas.py::against_dbos": "one figure after the other",
    "interface/cli/commands/certify.py::certify": "a command's options are its parameters",
    "interface/cli/commands/certify.py::certify_command": "a command's options are its parameters",
    "interface/bootstrap/opening.py::open_parts": "one part after the other",
    "interface/bootstrap/opening.py::open_services": "one part after the other",
    "interface/library/ledger.py::__init__": "every part of a ledger, and what each is made of",
}

NO_MODULE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

WORDS = {
    r"EventUnstorable": "EventSerializationError",
    r"LogDamaged": "DatabaseCorruptError",
    r"SpaceReserve": "ballast file",
    r"GuestCallback": "isolated callback",
    r"in_words|telling_of": "describe, annotate",
    r"work_of\b": "next_action",
    r"\bexaminer\b": "oracle",
    r"\bworkshop\b": "environment",
    r"\bis none that\b": "say what it is",
    r"\bset aside\b": "parked",
    r"HALF TOOK|99 IN 100": "P50, P99",
    r"\btrials?\b|\bcampaigns?\b": "case runner, run",
}
"""What is not said, and what is said instead (the words of the field)."""

PROSE = {
    r"\bis none (of|that)\b|\bthat is none\b|\bare none\b": "is not a …, does not …",
    r"\b[Tt]old\b|\buntold\b|_told\b|\btold_": "reported, recorded, called with",
    r"\bhinders?\b": "stops, failures",
    r"\bholds? no more\b": "has cleared, is not true",
    r"\b(held|hold|holds) (it |them |\w+ \w+ )?against\b": "compare with",
    r"\bas (it|they) ha(s|ve) to be\b": "invalid",
    r"\banew\b": "again, rebuilt",
    r"\bin place whole\b": "written atomically",
    r"\b(became|came) of\b": "outcome of, result of",
    r"\bbegins? so\b|\bstands? so\b": "starts with, has this status",
    r"\bwhere (there|it) (is|was) (none|missing|new)\b": "if it is missing, if it is new",
    r", or make it\b": "create it if it is missing",
    r"\bwhere (it|they|sagas) stands?\b": "status",
    r"\bgives? up its\b|\bgives? \w+ free\b|\bthe room (free|again)\b": "release, delete",
    r"\bgets? over it\b": "handles it",
    r"\bgoes? by itself\b": "resolves",
    r"\bin the past tense\b": "the events of …",
    r"\btouch(es)? the world\b": "has external effects",
    r"\bevents and residue call\b": "the name in events and residue",
    r"\b[Ll]eave exactly (these|this)\b": "replace by these",
    r"\bif there was none\b": "if it does not exist",
    r"\bout of readers' sight\b": "hide from readers",
    r"\bnameless\b": "anonymous",
    r"\bparted\b": "split",
    r"\boutranks\b": "takes precedence over",
    r"\b[Ww]hoever\b": "the worker that, the caller",
    r"\b[Ss]omebody\b": "another worker, a person; or the passive",
    r"\bInsist\b": "Require",
    r"\bhow real\b": "where reads come from",
    r"\bagain and again\b": "repeatedly",
    r"\bfor good\b": "permanently",
    r"\b[Nn]ine in ten\b|\b99 in 100\b": "P90, P99",
    r"\bset-aside (saga|SAGA)\b|\bset-aside,": "parked",
    r"\b(so many|so long) (at most|of them)\b|\bat most so (many|long)\b": "this many, at most N",
    r"\bup to date with the log when asked\b": "every query first catches up with the log",
}
"""What prose, names and messages of the product and the examples do not say, and what instead."""

PROSE_FOLDERS = (*ROOMS, "examples")

IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
REASONED_IGNORE = re.compile(
    r"#\s*(noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*\s+-\s+\S.*|type:\s*ignore\[[\w\-, ]+\]\s+#\s+\S.*)"
)

REASON_ABOVE = {"testing/__init__.py"}
"""Modules in which one comment above many ignores has the reason."""

DECISION_FORM = re.compile(
    r"# (?P<number>\d+)\. [^\n]+\n\n(Status: superseded by \[\d+\]\([^)]+\)[^\n]*\n\n)?"
    r"## Context\n.+\n## Choice\n.+\n## Consequence\n.+",
    re.DOTALL,
)

HOST = re.compile(r"https?://([\w.-]+)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|tmp/\w+|opt/(pypi|wheels))/[\w-]+")
LOCKED_EXTRAS = ("test", "lint", "docs", "dev")
REGISTRIES = re.compile(r"pypi|pythonhosted|artifactory|nexus|devpi|npmjs|crates\.io|mirror", re.I)


def files(*suffixes: str) -> Iterator[Path]:
    """The project's own files, those of the root included."""
    below = chain.from_iterable((ROOT / folder).rglob("*") for folder in FOLDERS)
    for path in sorted(chain(ROOT.iterdir(), below)):
        passed = "__pycache__" in path.parts or path.is_relative_to(KEPT)
        if path.suffix in suffixes and path.is_file() and not passed:
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def modules() -> tuple[Path, ...]:
    return tuple(files(".py"))


def test_module_has_about_300_lines_at_most() -> None:
    lengths = {name_of(path): len(text_of(path).splitlines()) for path in modules()}

    long = {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}

    assert {name: lines for name, lines in long.items() if name not in LONG_MODULES} == {}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_EXCEPTION} == {}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            last = node.end_lineno or node.lineno
            yield f"{name_of(path)}::{node.name}", last - node.lineno + 1


def test_function_has_about_40_lines_at_most() -> None:
    long = dict(pair for path in modules() for pair in functions(path) if pair[1] > FUNCTION_LINES)

    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}


def test_module_is_named_by_what_it_holds() -> None:
    assert [name_of(path) for path in modules() if path.stem in NO_MODULE_NAMES] == []


@pytest.mark.parametrize("pattern", WORDS, ids=WORDS.get)
def test_field_word_is_used(pattern: str) -> None:
    banned = re.compile(pattern)
    here = Path(__file__)

    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in (*modules(), *files(".md"))
        if path != here
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if banned.search(line)
    ]

    assert found == [], f"say it with: {WORDS[pattern]}"


@pytest.mark.parametrize("pattern", PROSE, ids=PROSE.get)
def test_sentence_is_plain(pattern: str) -> None:
    banned = re.compile(pattern)

    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in modules()
        if name_of(path).startswith(tuple(f"{folder}/" for folder in PROSE_FOLDERS))
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if banned.search(line)
    ]

    assert found == [], f"say it with: {PROSE[pattern]}"


def test_every_package_is_installed() -> None:
    settings = SETTINGS["tool"]["setuptools"]
    folders = {folder: package for package, folder in settings["package-dir"].items()}
    there = set()
    for path in modules():
        room, *inner = path.relative_to(ROOT).parent.parts or ("",)
        if room in folders:
            there.add(".".join([folders[room], *inner]))

    assert there == set(settings["packages"])


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in modules()} - {ROOT}
    without = [name_of(f) for f in sorted(folders) if not (f / "__init__.py").exists()]

    # Each example is a program or a distribution of its own.
    assert [name for name in without if not name.startswith("examples")] == []


def test_ignore_comment_says_why() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in modules()
        if path != Path(__file__) and name_of(path) not in REASON_ABOVE
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if IGNORE.search(line) and not REASONED_IGNORE.search(line)
    ]

    assert found == []


def decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("record", decisions(), ids=lambda path: path.stem)
def test_decision_record_has_the_form_and_a_line_in_the_index(record: Path) -> None:
    form = DECISION_FORM.fullmatch(text_of(record))

    assert form, "see docs/decisions/README.md"
    assert int(form["number"]) == int(record.name[:4])
    assert f"]({record.name})" in text_of(record.parent / "README.md")


def test_no_two_decision_records_have_one_number() -> None:
    numbers = [int(path.name[:4]) for path in decisions()]

    assert len(set(numbers)) == len(numbers)


def test_nothing_of_this_machine_and_no_registry_is_named() -> None:
    kinds = (".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".json", ".sh", "")
    found = []
    for path in files(*kinds):
        if path == Path(__file__) or (path.suffix == "" and path.name != "run"):
            continue
        for line in text_of(path).splitlines():
            hosts = [host for host in HOST.findall(line) if REGISTRIES.search(host)]
            if hosts or MACHINE_PATH.search(line):
                found.append(f"{name_of(path)}: {line.strip()}")

    assert found == []


def test_lock_file_pins_by_hash_what_the_project_requires() -> None:
    project = SETTINGS["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *chain(*(optional[extra] for extra in LOCKED_EXTRAS))]
    lock = text_of(ROOT / "requirements-dev.txt")
    entries = [e for e in re.split(r"^(?=[\w-])", lock, flags=re.MULTILINE) if e[0] != "#"]
    pinned: dict[str, list[str]] = {}
    for entry in entries:
        name, _, version = re.split(r"[ ;\\]", entry, maxsplit=1)[0].partition("==")
        pinned.setdefault(name.partition("[")[0], []).append(version)

    assert [e for e in entries if "    --hash=sha256:" not in e] == []
    assert HOST.findall(lock) == []
    assert [r for r in wanted if not _is_met(r, pinned)] == [], "nox -s lock"


def _is_met(requirement: str, pinned: dict[str, list[str]]) -> bool:
    wanted = Requirement(requirement)
    versions = pinned.get(wanted.name, [])
    return bool(versions) and all(wanted.specifier.contains(version) for version in versions)


def test_ci_runs_every_python_that_the_project_claims() -> None:
    claims = "\n".join(SETTINGS["project"]["classifiers"])
    workflow = text_of(ROOT / ".github" / "workflows" / "ci.yml")

    claimed = re.findall(r"Python :: (3\.\d+)$", claims, re.MULTILINE)
    matrix = re.search(r"python: \[(.*)\]", workflow)

    assert matrix
    assert re.findall(r"3\.\d+", matrix[1]) == claimed
    assert ".ci/run" in workflow
    assert "nox" in text_of(ROOT / ".ci" / "run")


@pytest.mark.parametrize("page", sorted(files(".md")), ids=name_of)
def test_path_named_in_the_documentation_exists(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`", text_of(page))

    assert [path for path in named if not (ROOT / path).exists()] == []
