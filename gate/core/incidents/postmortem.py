"""An incident as a Markdown post-mortem: to hand on, to file, to read without the panel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gate.core.incidents.measures import Measure

__all__ = ["PostMortem", "TimelineLine", "markdown"]


@dataclass(frozen=True, kw_only=True)
class TimelineLine:
    at_text: str
    title: str
    who: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class PostMortem:
    """Everything in words; times are texts with their zone."""

    number: int
    title: str
    host: str
    status: str
    summary: str
    first_text: str
    last_text: str
    count: int
    job_ref: str
    timeline: tuple[TimelineLine, ...]
    measures: tuple[Measure, ...]
    readings: tuple[str, ...]
    verdicts: tuple[str, ...]
    others: tuple[str, ...]
    causes: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    recovery: str
    advice: str
    notes: tuple[TimelineLine, ...]


def markdown(report: PostMortem) -> str:
    """A document with the same headings always; a section without content says so in a sentence."""
    parts = [
        f"# Incident {report.number}: {inline(report.title)}\n\n{paragraph(report.summary)}",
        _facts(report),
        section("What happened", _timeline(report.timeline), "No event was recorded."),
        section("Measured violations", _violations(report.measures), "Nothing was measured against a limit."),
        section("Readings around it", _list(report.readings), "No readings of that time are kept."),
        section("What the gate said", _list(report.verdicts), "The gate was not asked around that time."),
        section("Other incidents around it", _list(report.others), "None."),
        section("Root causes", _list(report.causes), "Not known yet."),
        section("Evidence", _evidence(report.evidence), "None was kept."),
        section("Recovery", paragraph(report.recovery), "Nothing is written down yet."),
        section("What to do", paragraph(report.advice), "Nothing."),
        section("Notes", _timeline(report.notes), "None."),
    ]
    return "\n\n".join(parts) + "\n"


def section(title: str, body: str, otherwise: str) -> str:
    return f"## {title}\n\n{body or otherwise}"


def inline(text: str) -> str:
    """One line in which nothing is markup, also where it begins a line or an item of a list."""
    line = re.sub(r"([\\`*_\[\]<>#|~]|&(?=#?\w+;))", r"\\\1", " ".join(text.split()))
    return re.sub(r"^([-+](?=[ -]|$)|=|\d+(?=[.)](?: |$)))", _harmless, line)


def _harmless(start: re.Match[str]) -> str:
    """A bullet, a rule or the number of a list as text: `\\-`, `1\\.`."""
    return f"{start[1]}\\" if start[1].isdigit() else f"\\{start[1]}"


def paragraph(text: str) -> str:
    return "\n\n".join(inline(part) for part in re.split(r"\n\s*\n", text) if part.strip())


def fenced(text: str) -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _facts(report: PostMortem) -> str:
    rows = [
        ("Machine", report.host),
        ("Status", report.status),
        ("First", report.first_text),
        ("Last", report.last_text if report.count > 1 else ""),
        ("Occurrences", str(report.count)),
        ("Job", report.job_ref),
    ]
    lines = [f"| {name} | {inline(value)} |" for name, value in rows if value]
    return "\n".join(["| | |", "|---|---|", *lines])


def _violations(measures: Iterable[Measure]) -> str:
    rows = [
        f"| {inline(m.name)} | {inline(m.value_text)} | {inline(m.limit_text)} | {m.violation_text} "
        f"| {inline(m.source)} |"
        for m in measures
    ]
    head = ["| What | Measured | Limit | Violated by | Source |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else ""


def _timeline(lines: Iterable[TimelineLine]) -> str:
    return "\n".join(f"- **{inline(line.at_text)}** {_told(line)}" for line in lines)


def _told(line: TimelineLine) -> str:
    by = f" by {inline(line.who)}" if line.who else ""
    return f"{inline(line.title)}{by}{': ' if line.text else ''}{inline(line.text)}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {inline(line)}" for line in lines)


def _evidence(pieces: Iterable[tuple[str, str]]) -> str:
    return "\n\n".join(_pieces(pieces))


def _pieces(pieces: Iterable[tuple[str, str]]) -> Iterator[str]:
    for title, text in pieces:
        yield f"### {inline(title)}\n\n{fenced(text)}"
