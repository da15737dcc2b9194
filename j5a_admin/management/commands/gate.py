"""`manage.py gate …`: the safety gate on the command line, thin over the services that the panel uses."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from gate.cli import lock as lock_cli
from gate.cli.answer import answer_write, stderr_say
from gate.cli.run import RunOrder, run_command
from gate.cli.texts import sensor_lines, verdict_lines
from gate.cli.wait import wait_until_admitted
from gate.core.patient import streams_settle
from gate.core.requirement import Requirement
from gate.services import gate_evaluate, snapshot_take
from j5a_admin import first_run
from transcribe.errors import ModelUnknown
from transcribe.resolve import model_requirement, model_value

# The model the protocol is about.
_DEFAULT_MODEL = "large-v3"
EXIT_ADMITTED, EXIT_BLOCKED, EXIT_USAGE = 0, 1, 2
EXIT_INTERRUPTED = 130  # as shells have it for Ctrl-C

Action = Callable[[dict[str, Any], Callable[[str], None]], int]


class Command(BaseCommand):
    help = "The safety gate: check, wait, run a command under it, lock, sensors, audit scripts."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="Run all five checks: exit 0 admitted, 1 blocked, 2 usage.")
        _model_argument(check)
        check.add_argument("--json", action="store_true", help="The whole verdict as JSON.")
        wait = actions.add_parser("wait", help="Wait until the gate admits; says the reason whenever it changes.")
        _model_argument(wait)
        wait.add_argument("--timeout", type=seconds, help="Seconds; then exit 1. Left out: as long as it takes.")
        run = actions.add_parser(
            "run",
            help="Run a command as the machine's one heavy process: locked, gated, at low priority, watched. "
            "Exit code: the command's own, or 75 when the gate says no or the machine's state ended it.",
        )
        _model_argument(run, default=None)
        run.add_argument("--wait", action="store_true", help="Wait for the gate instead of ending with 75.")
        run.add_argument("command", nargs="+", metavar="COMMAND", help="After --: the command and its arguments.")
        _lock_arguments(actions.add_parser("lock", help="Show the lock, or clear a stale one."))
        actions.add_parser("sensors", help="List all temperature sensors and how each is judged.")
        audit = actions.add_parser(
            "audit",
            help="Scan scripts for heavy work past the gate: exit 1 on a finding, 2 when a file could not be judged.",
        )
        audit.add_argument("paths", nargs="+", metavar="PATH", help="Shell and Python files, or folders of them.")
        audit.add_argument("--json", action="store_true", help="The findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        action = _ACTIONS[options["action"]]
        try:
            code = _with_database(lambda: action(options, self._say))
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        if code:
            sys.exit(code)

    def _say(self, text: str) -> None:
        answer_write(self.stdout, text)


def _model_argument(parser: CommandParser, default: str | None = _DEFAULT_MODEL) -> None:
    without = f"Left out: {default or 'what the command itself loads'}."
    parser.add_argument("--model", default=default, help=f"A name, demo, or the path of a checkpoint. {without}")


def _lock_arguments(parser: CommandParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("show", help="State and proof: exit 0 nobody holds it, 1 somebody does.")
    clear = acts.add_parser("clear-stale", help="Clear a lock whose holder is proved gone, and nothing else.")
    clear.add_argument("--why", type=stored_text, default="", help="Kept in the lock's history.")
    acts.add_parser("publish")  # without help: these are for ops/resource_safety_gate.sh
    for act in ("acquire", "recheck", "release"):
        shell = acts.add_parser(act)
        shell.add_argument("--fd", type=descriptor, required=True)
        shell.add_argument("--pid", type=int, required=True)
        shell.add_argument("--script", type=stored_text, default="")
        _model_argument(shell)


def seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise ValueError
    return seconds


def descriptor(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:  # what a C int holds
        raise ValueError
    return number


def stored_text(text: str) -> str:
    """Bytes that are no text, as file names may have them, cannot be stored."""
    return text.encode(errors="replace").decode()


def _with_database(act: Callable[[], int]) -> int:
    try:
        return _with_newest_database(act)
    except DatabaseError as problem:
        raise CommandError(f"The database does not answer ({problem}).", returncode=EXIT_USAGE) from problem


def _with_newest_database(act: Callable[[], int]) -> int:
    """On a machine where the panel never ran the database is made first."""
    try:
        return act()
    except DatabaseError as problem:
        if "no such" not in str(problem):  # no such table, no such column: older than this code
            raise
    first_run.directories_make()
    first_run.database_migrate(stderr_say)
    return act()


def _requirement(options: dict[str, Any]) -> Requirement:
    return _requirement_of(options["model"])


def _file_requirement(path: str) -> Requirement | None:
    try:
        return model_requirement(model_value(path)) if Path(path).is_file() else None
    except (ModelUnknown, OSError):  # weights of another program
        return None


def _requirement_of(model: str) -> Requirement:
    try:
        return model_requirement(model_value(model))
    except ModelUnknown as unknown:
        raise CommandError(str(unknown), returncode=EXIT_USAGE) from unknown


# ── what each does ───────────────────────────────────────────────────────────────────────────────
def _check(options: dict[str, Any], say: Callable[[str], None]) -> int:
    verdict = gate_evaluate(_requirement(options), purpose="check")
    as_json = options["json"]
    say(
        json.dumps(verdict.to_json_dict(), ensure_ascii=False, indent=1)
        if as_json
        else "\n".join(verdict_lines(verdict))
    )
    return EXIT_ADMITTED if verdict.admitted else EXIT_BLOCKED


def _wait(options: dict[str, Any], say: Callable[[str], None]) -> int:
    verdict = wait_until_admitted(_requirement(options), timeout_seconds=options["timeout"], say=say)
    say(verdict.reason if verdict.admitted else "The time is over: the gate still says no.")
    return EXIT_ADMITTED if verdict.admitted else EXIT_BLOCKED


def _run(options: dict[str, Any], say: Callable[[str], None]) -> int:
    from gate.cli.run_model import run_requirement

    requirement = run_requirement(
        options["command"],
        options["model"],
        requirement_of=_requirement_of,
        file_requirement=_file_requirement,
        say=stderr_say,
    )
    order = RunOrder(command=tuple(options["command"]), requirement=requirement, wait=options["wait"])
    code = run_command(order, stderr_say)
    streams_settle()  # the exit code is the command's, whatever became of our own output
    return code


def _lock(options: dict[str, Any], say: Callable[[str], None]) -> int:
    act = options["act"]
    if act == "show":
        return lock_cli.lock_show(say)
    if act == "clear-stale":
        return lock_cli.lock_clear(getpass.getuser(), options["why"] or "command line", say)
    if act == "publish":
        return lock_cli.publish(say)
    if act == "acquire":
        return lock_cli.shell_acquire(options["fd"], options["pid"], _requirement(options), options["script"], say)
    if act == "recheck":
        return lock_cli.shell_recheck(options["fd"], options["pid"], _requirement(options), say)
    return lock_cli.shell_release(options["fd"], options["pid"], say)


def _sensors(options: dict[str, Any], say: Callable[[str], None]) -> int:
    reading = snapshot_take().temperature
    say("\n".join(sensor_lines(reading)))
    return 0


def _audit(options: dict[str, Any], say: Callable[[str], None]) -> int:
    from gate.cli.audit import audit_command

    return audit_command(options["paths"], as_json=options["json"], write=say)


_ACTIONS: dict[str, Action] = {
    "check": _check,
    "wait": _wait,
    "run": _run,
    "lock": _lock,
    "sensors": _sensors,
    "audit": _audit,
}
