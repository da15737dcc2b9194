"""`manage.py gate check`: ask the gate. Exit code 0: admitted, 1: blocked, 2: the question was wrong."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from gate.core.verdict import CheckResult, Outcome, Verdict
from gate.services import gate_evaluate
from transcribe.errors import ModelUnknown
from transcribe.resolve import model_requirement, model_value

# The model the protocol is about.
_DEFAULT_MODEL = "large-v3"
_MARKS = {Outcome.PASS: "PASS", Outcome.WARN: "WARN", Outcome.BLOCK: "BLOCK", Outcome.UNKNOWN: "UNKNOWN"}


class Command(BaseCommand):
    help = "The safety gate on the command line."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="Run all five checks: exit 0 admitted, 1 blocked, 2 usage.")
        check.add_argument("--model", default=_DEFAULT_MODEL, help="A name, demo, or the path of a checkpoint.")
        check.add_argument("--json", action="store_true", help="The whole verdict as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = _verdict(options["model"])
        if options["json"]:
            self.stdout.write(json.dumps(verdict.to_json_dict(), ensure_ascii=False, indent=1))
        else:
            self.stdout.write("\n".join(_lines(verdict)))
        if not verdict.admitted:
            self.stdout.flush()
            sys.exit(1)


def _verdict(model: str) -> Verdict:
    try:
        return gate_evaluate(model_requirement(model_value(model)), purpose="check")
    except ModelUnknown as unknown:
        raise CommandError(str(unknown), returncode=2) from unknown
    except OperationalError as problem:
        text = f"The database is not ready ({problem}): run `manage.py migrate` first."
        raise CommandError(text, returncode=2) from problem


def _lines(verdict: Verdict) -> list[str]:
    lines = [line for number, result in enumerate(verdict.results, 1) for line in _check_lines(number, result)]
    return [*lines, "", verdict.reason]


def _check_lines(number: int, result: CheckResult) -> list[str]:
    first = f"{number}/5 {_MARKS[result.outcome]:7} {result.check}: {result.summary}"
    return [first, f"            {result.unblock}"] if result.unblock else [first]
