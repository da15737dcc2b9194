"""Rows of results, as text for the terminal and as Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.machine import Machine


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement. `met` is None where there is no goal, only a figure to know."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**not met**", None: ""}[self.met]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the suite. `how` says in plain words what was done."""

    title: str
    how: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())


INTRODUCTION = """\
# Benchmarks

Written by `make bench` (`python -m bench`). Every figure below was measured in one go on the machine named here;
nothing is estimated. Single parts: `python -m bench jobs`, `idle`, `gate`, `prepare`,
`pages`. Parts run alone only print.
"""


def text(machine: Machine, sections: Sequence[Section]) -> str:
    lines = [f"{name}: {value}" for name, value in machine.facts]
    for section in sections:
        lines += ["", section.title, *_columns(section.rows), *(f"  {note}" for note in section.notes)]
    return "\n".join(lines)


def markdown(machine: Machine, sections: Sequence[Section]) -> str:
    lines = [INTRODUCTION, "## The machine", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.facts]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.how, "", "| what | measured | goal | |", "|---|---|---|---|"]
        lines += [f"| {row.what} | {row.measured} | {row.goal} | {row.verdict} |" for row in section.rows]
        lines += ["", *(f"- {note}" for note in section.notes)] if section.notes else []
    return "\n".join(lines) + "\n"


def unmet(sections: Sequence[Section]) -> list[Row]:
    return [row for section in sections for row in section.rows if row.met is False]


def _columns(rows: Sequence[Row]) -> list[str]:
    cells = [(row.what, row.measured, row.goal, row.verdict.strip("*")) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
