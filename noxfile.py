"""The daily commands: `nox` runs what CI runs, `nox -s NAME` one of them, `nox -l` lists them.

`.ci/run` calls the same sessions, so that a change that passes here passes there.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import nox

ROOT = Path(__file__).parent
GENERATED = {
    "sagaledger.projections.reference": "docs/projections.md",
}
"""The modules that print a page of the documentation, and the page."""
DEV_EXTRAS = ("test", "lint", "docs", "dev")
"""What a contributor has, and what `requirements-dev.txt` locks."""

nox.options.sessions = ["lint", "docs", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = True


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, properties with a fresh seed; arguments go to pytest."""
    session.install(".[test]")
    seed = os.environ.get("HYPOTHESIS_SEED") or str(secrets.randbelow(2**32))
    session.log(f"repeat this run's properties with HYPOTHESIS_SEED={seed}")
    arguments = session.posargs or ["-n", "auto"]
    session.run("pytest", *arguments, env={"HYPOTHESIS_SEED": seed})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the directions of imports."""
    session.install(".[test,lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    # From another folder, so that the installed package is checked and not the folders beside it.
    with session.chdir(session.create_tmp()):
        session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), "-p", "sagaledger")
    session.run("mypy", "tests", "reference", "conftest.py", "noxfile.py")
    examples = session.create_tmp()
    session.run("python", "-m", "tests.docs.library_examples", examples)
    for example in sorted(Path(examples).glob("*.py")):
        session.run("mypy", "--strict", str(example))
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into `build/site`; broken links are errors."""
    session.install(".[docs]")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Regenerate the generated pages of the documentation."""
    session.install(".[test]")
    for module, page in GENERATED.items():
        text = session.run("python", "-m", module, silent=True)
        (ROOT / page).write_text(str(text), encoding="utf-8")
    session.run("python", "-m", "reference", str(ROOT / "docs/reference"))


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Bring `requirements-dev.txt` in line with `pyproject.toml`; `--upgrade` takes the newest."""
    session.install("uv")
    extras = [f"--extra={extra}" for extra in DEV_EXTRAS]
    # For every Python and system, with hashes in place of the address of an index.
    session.run(
        *("uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal", *extras),
        *("--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-emit-index-url"),
        *("--custom-compile-command", "nox -s lock", "--output-file", "requirements-dev.txt"),
        *session.posargs,
    )


@nox.session(default=False)
def dev(session: nox.Session) -> None:
    """Make `.venv`: everything, installed so that editors and type checkers see the source."""
    python = ROOT / ".venv" / "bin" / "python"
    everything = f".[{','.join(DEV_EXTRAS)}]"
    session.run("python", "-m", "venv", str(ROOT / ".venv"))
    session.run(
        *(str(python), "-m", "pip", "install", "--quiet", "--editable", everything),
        *("--config-settings", "editable_mode=strict"),
        external=True,
    )
