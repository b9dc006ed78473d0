"""`python -m benchmarks`: runs all cases or the named ones; writes a table, a file and plots.

A name also selects all cases that start with it and a dash: `series` selects all plots.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.against_restate import against_restate
from benchmarks.backup_commands import against_backup_tools
from benchmarks.event_log import against_the_default_aggregate, weighed_against_raw_sqlite
from benchmarks.event_size import against_json_rows
from benchmarks.figures import Figures
from benchmarks.growth import of_ten_times_as_much
from benchmarks.guarantee import against_no_events
from benchmarks.harness import Case
from benchmarks.ingest import against_cp
from benchmarks.machine import machine
from benchmarks.memory import of_several_sizes
from benchmarks.recovery import against_dbos_recovery
from benchmarks.rollback import against_forward_path
from benchmarks.run import chosen, run
from benchmarks.sagas import against_dbos
from benchmarks.series import memory_by_size, replay_by_length, sagas_by_width, time_by_size
from benchmarks.startup import against_all_imports
from benchmarks.tables import markdown, table

CASES: dict[str, Case] = {
    "ingest": against_cp,
    "command": against_backup_tools,
    "memory": of_several_sizes,
    "rollback": against_forward_path,
    "log": weighed_against_raw_sqlite,
    "rebuild": against_the_default_aggregate,
    "sagas": against_dbos,
    "recovery": against_dbos_recovery,
    "restate": against_restate,
    "events": against_json_rows,
    "growth": of_ten_times_as_much,
    "guarantee": against_no_events,
    "startup": against_all_imports,
    "series-time": time_by_size,
    "series-memory": memory_by_size,
    "series-sagas": sagas_by_width,
    "series-replay": replay_by_length,
}


def main() -> int:
    """Measure and print. The exit code is 1 if a target is missed or a case was not measured."""
    parser = _parser()
    options = parser.parse_args()
    try:
        names = chosen(options.cases, CASES) if options.cases or not options.earlier else []
        figures = Figures.read(options.earlier) if options.earlier else Figures()
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if names:
        figures.machine = machine(options.scratch or Path(tempfile.gettempdir()))
        figures.rounds = options.rounds
        # Installed programs have compiled files, so ours and the peers' may write theirs.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        run({name: CASES[name] for name in names}, figures, options.scratch, options.json)
    elif options.json:
        figures.write(options.json)
    print(table(figures))
    if options.markdown:
        options.markdown.write_text(markdown(figures))
    if options.plots:
        try:
            # Imported here, because a run without plots does not need the plotting library.
            from benchmarks.plots import draw

            draw(figures.series, options.plots)
        except ImportError as error:
            print(f"no plots: {error}; pip install '.[bench]'", file=sys.stderr)
            return 1
        except ValueError as error:
            print(f"no plots: {error}", file=sys.stderr)
            return 1
    return 0 if figures.is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=_positive, default=5, help="per case (default: 5)")
    parser.add_argument("--scratch", type=Path, help="a folder on the disk to measure")
    parser.add_argument(
        "--from",
        dest="earlier",
        type=Path,
        metavar="JSON",
        help="start with the figures of this file, and measure only the named cases",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file, case by case")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the series, as SVG")
    return parser


def _positive(text: str) -> int:
    rounds = int(text)
    if rounds < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return rounds


if __name__ == "__main__":
    sys.exit(main())
