"""Writes a certificate as a file for auditors: JSON for programs, HTML for people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from sagaledger.infrastructure.disk import write_file
from sagaledger.interface.certification.verdicts import Certificate
from sagaledger.interface.library.plain_data import plain

__all__ = ["certificate_facts", "write_html", "write_json"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
td, th { border: 1px solid #bbb; padding: .25rem .6rem; text-align: left; }
td.number { text-align: right; } .failed { color: #a00000; font-weight: 600; }
"""


def certificate_facts(certificate: Certificate) -> dict[str, Any]:
    """The certificate as plain data: the format of the JSON report."""
    return {
        "format": "sagaledger-certificate/1",
        "holds": certificate.holds,
        "about": plain(certificate.about),
        "seed": certificate.seed,
        "duration_s": certificate.duration_s,
        "points": plain(certificate.points),
        "cases_total": certificate.cases_total,
        "cases_run": len(certificate.results),
        "cases_tried": certificate.tried,
        "guarantees": [
            {
                "guarantee": tally.guarantee.value,
                "text": tally.guarantee.text,
                "tried": tally.tried,
                "passed": tally.passed,
                "failed": tally.failed,
            }
            for tally in certificate.tallies
        ],
        "failures": plain(certificate.failures),
        "leftovers": plain(certificate.leftovers),
        "cases": [
            {"case": result.case, "happened": result.happened, "duration_s": result.duration_s}
            for result in certificate.results
        ],
    }


def write_json(certificate: Certificate, path: Path) -> None:
    """Write the report; an existing file is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    write_file(path, (json.dumps(certificate_facts(certificate), indent=2) + "\n").encode())


def write_html(certificate: Certificate, path: Path) -> None:
    """Write the report as one self-contained page; an existing file is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    verdict = "Every guarantee held" if certificate.holds else "Not every guarantee held"
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{verdict}</title>",
        f"<style>{_STYLE}</style><h1>{verdict}</h1>",
        _table(
            "Guarantees", ("", "what holds", "tried", "passed", "failed"), _tally_rows(certificate)
        ),
        _table("Port calls tried", ("scenario", "calls"), certificate.points.items()),
        _table("Circumstances", ("", ""), _circumstances(certificate).items()),
    ]
    if certificate.failures:
        rows = ((f.guarantee, f.case, f.detail) for f in certificate.failures)
        parts.append(_table("Failures", ("guarantee", "case", "what was found"), rows))
    if certificate.leftovers:
        parts.append(
            _table("Left in the stores", ("",), ((text,) for text in certificate.leftovers))
        )
    tried = ((r.case, "yes" if r.happened else "not reached") for r in certificate.results)
    parts.append(_table("Cases", ("fault", "happened"), tried))
    write_file(path, ("\n".join(parts) + "</html>\n").encode())


def _tally_rows(certificate: Certificate) -> Iterable[tuple[object, ...]]:
    for tally in certificate.tallies:
        yield tally.guarantee, tally.guarantee.text, tally.tried, tally.passed, tally.failed


def _circumstances(certificate: Certificate) -> dict[str, object]:
    return {
        **certificate.about,
        "seed": certificate.seed,
        "duration in s": round(certificate.duration_s, 1),
        "points times faults": certificate.cases_total,
        "cases run": len(certificate.results),
        "cases whose fault happened": certificate.tried,
    }


def _table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    kind = " class='number'" if isinstance(value, int) else ""
    return f"<td{kind}>{escape(str(value))}</td>"
