"""What the audit says: its rules, its findings, its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gate.core.asked_model import AskedModel

__all__ = ["RULES", "AuditReport", "Comment", "Finding", "Hit", "Launch", "Place", "Rule", "Scan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """`id` is stable: waivers in other people's files name it."""

    id: str
    finds: str
    mend: str


_RULES = (
    Rule(
        id="J5A001",
        finds="a heavy model is started without the gate",
        mend="Start it as `manage.py gate run -- COMMAND`, or use `manage.py transcribe FILE`. "
        "To hold the lock yourself: `acquire_whisper_lock MODEL || exit 1` of resource_safety_gate.sh, "
        "or `with lock_acquire(…)` of gate.services.",
    ),
    Rule(
        id="J5A002",
        finds="more than one heavy process side by side",
        mend="Let it be 1 (the answer of calculate_safe_parallel_count): one recording after another.",
    ),
    Rule(
        id="J5A003",
        finds="Whisper in the background",
        mend="Run it in the foreground, one after another; for work overnight put `manage.py gate run -- COMMAND` "
        "in the background instead, which waits its turn.",
    ),
    Rule(
        id="J5A004",
        finds="processes are ended by a word in their command line",
        mend="End the one process that you started, by its PID; `manage.py gate lock show` names the holder.",
    ),
    Rule(
        id="J5A005",
        finds="the lock file is removed",
        mend="Leave the file. Give your own lock back with release_whisper_lock; "
        "`manage.py gate lock clear-stale` clears one whose holder is proved gone.",
    ),
    Rule(
        id="J5A006",
        finds="results are kept only in memory",
        mend="Write each result inside the loop, before the next one begins: a temporary file, then rename it.",
    ),
    Rule(
        id="J5A007",
        finds="a waiver without a reason",
        mend="Write `# j5a: allow J5A001 because REASON`, with the reason in words.",
    ),
    Rule(
        id="J5A008",
        finds="the gate is asked for a smaller model than the command loads",
        mend="Name the same model to both, best from one variable; or leave `--model` of `gate run` out: "
        "then the command's own counts.",
    ),
)
RULES = {rule.id: rule for rule in _RULES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`text` is the line as it stands in the file."""

    path: Path
    line: int
    rule: str
    message: str
    mend: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """`problems` name what could not be read or understood, with the cause."""

    findings: tuple[Finding, ...] = ()
    files_read: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """First and last line of a command."""

    line: int
    end_line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A finding before its waivers are looked at."""

    rule: str
    place: Place
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """A heavy model's start, gated or not. `model`: None where only the running script knows which."""

    program: str
    place: Place
    model: AskedModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """`is_alone`: nothing but the comment stands on its line."""

    line: int
    text: str
    is_alone: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """One file's, or one nested text's, result."""

    hits: tuple[Hit, ...] = ()
    launches: tuple[Launch, ...] = ()
    comments: tuple[Comment, ...] = ()
    problems: tuple[str, ...] = ()
