"""What the doctor found: one line each, in groups, and the sentence that sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Group", "Status", "Summary", "failed", "passed", "summary_of", "warned"]


class Status(StrEnum):
    """PASS: nothing to do. WARN: it works, with a limit or a risk. FAIL: something will not work until it is mended."""

    PASS = "PASS"  # noqa: S105 - a status, not a password
    WARN = "WARN"
    FAIL = "FAIL"

    @property
    def tone(self) -> str:
        """The colour of the pages for it."""
        return {Status.PASS: "good", Status.WARN: "warn", Status.FAIL: "bad"}[self]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`advice` is what to do about it; empty when there is nothing to do or to know."""

    status: Status
    subject: str
    sentence: str
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    title: str
    text: str
    tone: str


def passed(subject: str, sentence: str, advice: str = "") -> Finding:
    return Finding(status=Status.PASS, subject=subject, sentence=sentence, advice=advice)


def warned(subject: str, sentence: str, advice: str) -> Finding:
    return Finding(status=Status.WARN, subject=subject, sentence=sentence, advice=advice)


def failed(subject: str, sentence: str, advice: str) -> Finding:
    return Finding(status=Status.FAIL, subject=subject, sentence=sentence, advice=advice)


def summary_of(findings: Iterable[Finding]) -> Summary:
    """What fails comes first, then the warnings, both by name."""
    found = list(findings)
    subjects = {status: [f.subject for f in found if f.status is status] for status in Status}
    fails, warns = subjects[Status.FAIL], subjects[Status.WARN]
    parts = [part for part in (_named(fails, Status.FAIL), _named(warns, Status.WARN)) if part]
    text = "; ".join([*parts, f"{len(subjects[Status.PASS])} {Status.PASS}"]) + "."
    if fails:
        return Summary(title="Something must be mended", text=text, tone=Status.FAIL.tone)
    if warns:
        return Summary(title="It works, with warnings", text=text, tone=Status.WARN.tone)
    return Summary(title="All is well", text=text, tone=Status.PASS.tone)


def _named(subjects: Sequence[str], status: Status) -> str:
    return f"{len(subjects)} {status} ({', '.join(subjects)})" if subjects else ""
