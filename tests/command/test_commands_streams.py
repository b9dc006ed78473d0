"""What the command prints where: on a terminal, into pipes and files, and when nobody reads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import environment, json_of, refusal_of, run, run_on_terminal

COMMANDS = [
    *("ingest", "list", "show", "search", "get", "verify", "delete"),
    *("recover", "cancel", "rollback", "pause", "resume", "orphans", "sweep"),
    *("alerts", "project", "query", "export"),
]
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    # A name that is not UTF-8, one that colours a terminal, one of two lines, one not of ASCII.
    names = [b"\xff.txt", b"\x1b[31mred.txt", b"two\nlines.txt", "n\u00e4me.txt".encode()]
    for number, name in enumerate(names):
        Path(folder, os.fsdecode(name)).write_text(f"{number} \x1b[1m heron")
    ingested = run(folder / "data", "ingest", folder)
    assert ingested.stdout.endswith("4 files: 4 committed\n")
    assert ESCAPE not in ingested.stdout
    return folder / "data"


def test_file_ingested_on_a_terminal_shows_progress_with_rate_and_time_left(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(32 * 1024 * 1024))

    code, shown = run_on_terminal(tmp_path / "data", "ingest", big, "--chunk-size", "65536")

    assert code == 0
    frame = r"big.bin {}.*\d MiB of 32.0 MiB.* \d+\.\d MiB/s.* \d:\d\d:\d\d"
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
    assert re.search(frame.format("upload"), plain)
    assert re.search(frame.format("verify"), plain)
    assert f"{ESCAPE}[3" in shown
    # The bars are gone in the end, and the cursor is back.
    assert shown.rindex(f"{ESCAPE}[?25h") > shown.rindex(f"{ESCAPE}[?25l")
    assert "size      32.0 MiB in 512 chunks" in plain


def test_file_ingested_for_a_machine_on_a_terminal_shows_no_progress(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")

    code, shown = run_on_terminal(tmp_path / "data", "ingest", tmp_path / "words.txt", "--json")

    assert code == 0
    assert ESCAPE not in shown
    assert shown.startswith("[\r\n")


@pytest.mark.parametrize("command", [("list",), ("list", "--all"), ("search", "heron")])
def test_names_and_texts_printed_cannot_steer_the_terminal(
    data: Path, command: tuple[str, ...]
) -> None:
    shown = run(data, *command)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert ESCAPE not in shown.stdout
    assert "\\x1b[31mred.txt" in shown.stdout
    assert "two\\x0alines.txt" in shown.stdout
    assert "n\u00e4me.txt" in shown.stdout


def test_output_that_takes_ascii_only_gets_the_rest_spelled_out(data: Path) -> None:
    shown = run(data, "list", env=environment(PYTHONIOENCODING="ascii"))

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "n\\xe4me.txt" in shown.stdout


def test_list_whose_reader_has_left_ends_in_silence(data: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = run(data, "list", "--json", stdout=writing)

    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_files_ingested_while_the_reader_has_left_are_all_committed(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"text {number}")
    reading, writing = os.pipe()
    os.close(reading)

    done = run(tmp_path / "data", "ingest", tmp_path, stdout=writing)

    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "data" / "manifests").iterdir())) == 3


def test_list_without_an_open_output_ends_in_silence(data: Path) -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh"]

    done = run(data, "list", before=closed)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(json_of(run(data, "list", "--json"))) == 4


def test_list_into_a_full_file_says_so(data: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(data, "list", stdout=full)

    assert done.returncode == 11
    assert done.stderr == "error: cannot write standard output: No space left on device\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_command_asked_for_help_tells_every_option(tmp_path: Path, command: str) -> None:
    shown = run(None, command, "--help", cwd=tmp_path, env=environment(COLUMNS="80"))

    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Usage: sagaledger {command} [OPTIONS]" in shown.stdout
    _, _, options = shown.stdout.partition("Options:\n")
    told = re.split(r"\n(?=  -)", options.rstrip())
    assert len(told) >= 2
    for option in told:
        words = re.sub(r"^ +(-\S+,? ?)+([A-Z ]+|\[[a-z|]+\])?", "", option)
        without_limits = re.sub(r"\[[^\]]*\]", "", words)
        assert re.search(r"[a-z]{2}", without_limits), f"{command} does not tell {option!r}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_command_asked_for_help_names_commands_and_exit_codes(option: str) -> None:
    shown = run(None, option, env=environment(COLUMNS="80")).stdout

    assert all(re.search(rf"\n  {command} +[A-Z]", shown) for command in COMMANDS)
    assert all(option in shown for option in ("--version", "--data PATH", "--debug", "-h, --help"))
    assert "SAGALEDGER_DATA" in shown
    assert all(re.search(rf"\b{code} [a-z]", shown) for code in (*range(13), 130))
    assert "..." not in shown.partition("Commands:")[2]


def test_command_without_arguments_shows_its_help_as_a_mistake() -> None:
    shown = run(None)

    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("Usage: sagaledger [OPTIONS] COMMAND [ARGS]...")


def test_command_asked_for_its_version_says_the_package_s() -> None:
    # Asked in isolation, for beside the checkout there may be the metadata of a build.
    ask = "import importlib.metadata; print(importlib.metadata.version('sagaledger'))"
    asked = subprocess.run([sys.executable, "-I", "-c", ask], capture_output=True, text=True)
    if asked.returncode:
        pytest.skip("the package is linked here and not installed, so that it has no version")

    shown = run(None, "--version")

    assert (shown.returncode, shown.stdout) == (0, f"sagaledger {asked.stdout}")


def test_command_that_fails_shows_its_traceback_only_when_asked(data: Path) -> None:
    quiet = run(data, "show", "nothing")
    debugged = run(data, "--debug", "show", "nothing")

    line = refusal_of(quiet, 3)
    assert debugged.returncode == 3
    assert "Traceback (most recent call last):" in debugged.stderr
    assert debugged.stderr.endswith(line + "\n")
