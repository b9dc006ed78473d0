"""`python -m benchmarks`: every case, or those that are named, as a table and as JSON."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.against_restate import against_restate
from benchmarks.backup_commands import against_backup_tools
from benchmarks.event_log import against_raw_sqlite, against_the_default_aggregate
from benchmarks.event_size import against_json_rows
from benchmarks.growth import of_ten_times_as_much
from benchmarks.guarantee import against_no_events
from benchmarks.harness import Case, Comparison, table, write_json
from benchmarks.ingest import against_cp
from benchmarks.memory import of_two_sizes
from benchmarks.recovery import against_dbos_recovery
from benchmarks.rollback import against_forward_path
from benchmarks.sagas import against_dbos
from benchmarks.startup import against_all_imports

CASES: dict[str, Case] = {
    "ingest": against_cp,
    "command": against_backup_tools,
    "memory": of_two_sizes,
    "rollback": against_forward_path,
    "log": against_raw_sqlite,
    "rebuild": against_the_default_aggregate,
    "sagas": against_dbos,
    "recovery": against_dbos_recovery,
    "restate": against_restate,
    "events": against_json_rows,
    "growth": of_ten_times_as_much,
    "guarantee": against_no_events,
    "startup": against_all_imports,
}


def main() -> int:
    """Run the cases. The exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=5, help="of each case (default: 5)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--scratch", type=Path, help="a folder on the disk to be measured")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    # An installed program has its compiled files, ours and the peers' alike.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    comparisons: list[Comparison] = []
    for name in options.cases or CASES:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            with TemporaryDirectory(dir=options.scratch) as scratch:
                comparisons += CASES[name](Path(scratch), options.rounds)
        except ImportError as error:
            print(f"{name}: left out: {error}; pip install '.[bench]'", file=sys.stderr)
    print(table(comparisons))
    if options.json:
        write_json(options.json, comparisons)
    return 0 if all(comparison.is_met for comparison in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
