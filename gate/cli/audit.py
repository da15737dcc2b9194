"""`gate audit`: findings of the audit as lines for people and editors, or as JSON."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gate.core.audit import AuditReport, Finding, audit_paths

__all__ = ["audit_command"]

EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE = 0, 1, 2


def audit_command(paths: list[str], *, as_json: bool, write: Callable[[str], None]) -> int:
    """Exit code 0: no finding; 1: a finding; 2: something could not be read or understood, also beside a finding.

    2 counts for more than 1: an answer that is not complete must not look like one.
    """
    report = audit_paths([Path(path) for path in paths])
    write(_json(report) if as_json else "\n".join(_lines(report)))
    if report.problems or not report.files_read:
        return EXIT_INCOMPLETE
    return EXIT_FINDINGS if report.findings else EXIT_CLEAN


def _lines(report: AuditReport) -> Iterator[str]:
    for finding in report.findings:
        yield f"{_one_line(str(finding.path))}:{finding.line}: {finding.rule} {finding.message}"
        yield f"    {finding.mend}"
    yield from (f"Problem: {_one_line(problem)}." for problem in report.problems)
    yield _closing(report)


def _one_line(text: str) -> str:
    """A file's name may hold what ends a line or moves the cursor, and so speak in our name."""
    return "".join(ascii(char)[1:-1] if unicodedata.category(char) == "Cc" else char for char in text)


def _closing(report: AuditReport) -> str:
    found = _count(report.findings, "finding") if report.findings else "No finding"
    files = f"{report.files_read} file{'' if report.files_read == 1 else 's'}"
    if not report.problems:
        return f"{found} in {files}."
    return f"{found} in {files}; {_count(report.problems, 'problem')}, which may hide more."


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _json(report: AuditReport) -> str:
    answer = {
        "findings": [_finding(finding) for finding in report.findings],
        "files_read": report.files_read,
        "problems": list(report.problems),
    }
    return json.dumps(answer, ensure_ascii=False, indent=1)


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "path": str(finding.path),
        "line": finding.line,
        "rule": finding.rule,
        "message": finding.message,
        "mend": finding.mend,
        "text": finding.text,
    }
