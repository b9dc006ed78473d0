"""Pages of the documentation as something that runs: their console blocks, and what they print.

A block of `console` is commands after `$ ` (going on after `> `) and what they print. A block with
a `title` is a file of that name, written when its turn comes. A block below a comment that begins
with `<!-- not run:` is left out; the rest of the comment says why. What stands in its place is in a
comment that begins with `<!-- run instead:`, and is run without being compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = [
    "Command",
    "Part",
    "Preparation",
    "SampleFile",
    "difference",
    "read_page",
    "run_page",
    "with_outputs",
]

NOT_RUN = "<!-- not run:"
RUN_INSTEAD = re.compile(r"<!-- run instead:\n(.*)-->", re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
SENTINEL = re.compile(r"\n?@@(\d+)@@\n")
LIMIT_S = 180
CHECKOUT = Path(__file__).parents[2]
"""What the pages call so."""
WIDEST = 120
SHOWN_FOLDER = "/home/ann"
"""What the pages show in place of the folder that their commands run in."""

MASKS = (
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "<time>"),
    (r"\d{4}-\d\d-\d\d", "<day>"),
    (r"\b[\w.-]+:\d+:[0-9a-f]{8}\b", "<worker>"),
    (r"[0-9a-f]{6,}", "<id>"),
    (r"\d[\d.,]*\s(ms|µs|s|min|h)\b", "<duration>"),
    (r"_s \d[\d.]*", "_s <seconds>"),
    (r"(?m)^\d+ +<time>", "<position> <time>"),
    (r"streaming-upload \d+", "streaming-upload <version>"),
    (r"index \d+, sha256", "index <index>, sha256"),
    (r"read back from [^;]*;", "read back from <place>;"),
    (r"[ \t]+", " "),
    (r" ?\n", "\n"),
)
"""What differs from run to run or machine to machine, and what both sides get instead."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page, and what the page says that it prints."""

    line: int
    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file that the page shows."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is run without being shown."""

    text: str


Part: TypeAlias = Command | SampleFile | Preparation


def read_page(path: Path) -> list[Part]:
    """What a page runs and writes, in order."""
    return list(_parts(MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8"))))


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    before: Token | None = None
    for token in tokens:
        skipped = before is not None and before.content.startswith(NOT_RUN)
        if token.type == "fence" and not skipped:
            if title := TITLE.search(token.info):
                yield SampleFile(title[1], token.content)
            elif token.info.split()[:1] == ["console"]:
                assert token.map is not None
                yield from _commands(token.content.splitlines(), token.map[0] + 2)
        elif instead := RUN_INSTEAD.match(token.content):
            yield Preparation(instead[1])
        before = token


def _commands(lines: Sequence[str], first: int) -> Iterator[Command]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = [lines[start][2:]]
        rest = list(lines[start + 1 : end])
        while rest and rest[0].startswith("> "):
            text.append(rest.pop(0)[2:])
        yield Command(first + start, "\n".join(text), "\n".join(rest).strip("\n"))


def run_page(parts: Sequence[Part], folder: Path) -> list[str]:
    """What each command prints, all of them run by one shell in a folder of their own.

    Raises:
        subprocess.TimeoutExpired: they took too long.
    """
    script = ["set -u"]
    for part in parts:
        if isinstance(part, SampleFile):
            script.append(f"cat > {part.name} <<'END_OF_FILE'\n{part.content}END_OF_FILE")
        elif isinstance(part, Preparation):
            script.append(part.text)
        else:
            script.append(f'{part.text}\nlast=$?; printf "\\n@@%d@@\\n" $last; (exit $last)')
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CHECKOUT": str(CHECKOUT),
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
    )
    *pieces, rest = SENTINEL.split(done.stdout)
    assert rest == "", rest
    commands = [part for part in parts if isinstance(part, Command)]
    outputs, codes = pieces[::2], pieces[1::2]
    for number, (command, code) in enumerate(zip(commands, codes, strict=True), 1):
        asks = number < len(commands) and commands[number].text == "echo $?"
        assert code == "0" or asks, f"line {command.line}: {command.text!r} ended with {code}"
    return [output.strip("\n").replace(str(folder), SHOWN_FOLDER) for output in outputs]


def difference(expected: str, printed: str) -> str:
    """Nothing where the page is right; else what was printed. `…` stands for anything."""
    pattern = ".*?".join(map(re.escape, _masked(expected).split("…")))
    return "" if re.fullmatch(pattern, _masked(printed), re.DOTALL) else printed


def _masked(text: str) -> str:
    for pattern, instead in MASKS:
        text = re.sub(pattern, instead, text)
    return text.strip()


def with_outputs(page: str, parts: Sequence[Part], printed: Sequence[str]) -> str:
    """The page's text with what was printed in place of what differs from it."""
    lines = page.splitlines()
    commands = [part for part in parts if isinstance(part, Command)]
    for command, output in reversed(list(zip(commands, printed, strict=True))):
        if difference(command.expected, output):
            start = command.line - 1 + len(command.text.splitlines())
            end = start + len(command.expected.splitlines())
            lines[start:end] = map(_shown, output.splitlines())
    return "\n".join(lines) + "\n"


def _shown(line: str) -> str:
    """The line, or its beginning where it would be too long for a page."""
    if len(line) <= WIDEST or line.startswith(("/", "{", '"')):
        return line
    return line[: line.rindex(" ", 0, WIDEST - 10)].rstrip() + " …"
