"""`manage.py doctor`: what stands in the way on this machine. Exit code 0: nothing fails, 1: something does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gate.cli.answer import answer_write
from j5a_admin.doctor.examine import examine_groups
from j5a_admin.doctor.findings import Finding, Group, Status, summary_of


class Command(BaseCommand):
    help = "Look at this machine and the panel's surroundings: each line PASS, WARN or FAIL, with what to do."
    requires_system_checks = []  # they are among the lines

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="The lines as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        groups = examine_groups()
        findings = [finding for group in groups for finding in group.findings]
        answer_write(self.stdout, _json(groups) if options["json"] else "\n".join(_lines(findings)))
        if any(finding.status is Status.FAIL for finding in findings):
            sys.exit(1)


def _lines(findings: list[Finding]) -> list[str]:
    lines = [line for finding in findings for line in _finding_lines(finding)]
    summary = summary_of(findings)
    return [*lines, "", f"{summary.title}: {summary.text}"]


def _finding_lines(finding: Finding) -> list[str]:
    first = f"{finding.status}  {finding.subject}: {finding.sentence}"
    return [first, f"      {finding.advice}"] if finding.advice else [first]


def _json(groups: Iterable[Group]) -> str:
    lines = [{"group": group.title, **asdict(finding)} for group in groups for finding in group.findings]
    return json.dumps({"findings": lines}, ensure_ascii=False, indent=1)
