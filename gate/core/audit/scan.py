"""The audit of files and folders: read, scan, waive, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gate.core.audit.files import Language, NotAudited, SourceFile, files_below, read_source
from gate.core.audit.findings import RULES, AuditReport, Finding, Hit, Scan
from gate.core.audit.python import audit_python
from gate.core.audit.shell import audit_shell
from gate.core.audit.waivers import apply_waivers
from gate.core.processes import command_text

__all__ = ["audit_paths", "scan_source", "scan_text"]

PROBLEMS_LIMIT = 3  # of one file: after the first the reading is a guess


def audit_paths(paths: Sequence[Path]) -> AuditReport:
    """Audit these files and the scripts in these folders. What cannot be read is a problem, never an exception."""
    findings: list[Finding] = []
    problems: list[str] = []
    files_read = 0
    for path in files_below(paths, problems):
        try:
            source = read_source(path)
        except NotAudited as reason:
            problems.append(f"{path}: {reason}")
            continue
        scan = scan_source(source)
        files_read += 1
        problems += [f"{path}: {problem}" for problem in list(dict.fromkeys(scan.problems))[:PROBLEMS_LIMIT]]
        findings += _findings(path, source.text.split("\n"), scan)
    return AuditReport(findings=tuple(findings), files_read=files_read, problems=tuple(problems))


def scan_source(source: SourceFile) -> Scan:
    """What one file does, before its waivers are looked at."""
    return _shell(source.text) if source.language is Language.SHELL else _python(source.text)


def scan_text(text: str) -> Scan:
    """What one command line does."""
    return _shell(text)


def _shell(text: str, first_line: int = 1, held: bool = False) -> Scan:
    return audit_shell(text, python=_python, first_line=first_line, held=held)


def _python(text: str, first_line: int = 1, held: bool = False) -> Scan:
    return audit_python(text, shell=_shell, first_line=first_line, held=held)


def _findings(path: Path, lines: Sequence[str], scan: Scan) -> list[Finding]:
    once = {(hit.place.line, hit.rule): hit for hit in reversed(apply_waivers(scan.hits, scan.comments))}
    return [_finding(path, lines, hit) for _, hit in sorted(once.items(), key=lambda entry: entry[0])]


def _finding(path: Path, lines: Sequence[str], hit: Hit) -> Finding:
    line = hit.place.line
    text = lines[line - 1].strip() if line <= len(lines) else ""
    return Finding(
        path=path,
        line=line,
        rule=hit.rule,
        message=hit.message,
        mend=RULES[hit.rule].mend,
        text=command_text([text]),
    )
