"""Waivers: `# j5a: allow J5A001 because REASON`, on the line of the finding or alone on the line above it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.core.audit.findings import Comment, Hit, Place

__all__ = ["apply_waivers"]

_WAIVER = re.compile(r"#\s*j5a:\s*allow\b(?P<rules>[\s,\w]*?)(?:\bbecause\b(?P<reason>.*))?$", re.IGNORECASE)
_RULE_ID = re.compile(r"\bJ5A\d{3}\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiver:
    line: int
    rules: frozenset[str]
    has_reason: bool


def apply_waivers(hits: Iterable[Hit], comments: Sequence[Comment]) -> list[Hit]:
    """The hits that stay, and one more for each waiver that says no reason or no rule."""
    waivers = {comment.line: waiver for comment in comments if (waiver := _waiver(comment)) is not None}
    alone = {comment.line for comment in comments if comment.is_alone}
    stay = [hit for hit in hits if not _is_waived(hit, waivers, alone)]
    return stay + [_complaint(waiver) for waiver in waivers.values() if not _is_valid(waiver)]


def _waiver(comment: Comment) -> _Waiver | None:
    found = _WAIVER.search(comment.text.strip())
    if found is None:
        return None
    rules = frozenset(rule.upper() for rule in _RULE_ID.findall(found["rules"]))
    return _Waiver(line=comment.line, rules=rules, has_reason=re.search(r"\w", found["reason"] or "") is not None)


def _is_valid(waiver: _Waiver) -> bool:
    return waiver.has_reason and bool(waiver.rules)


def _is_waived(hit: Hit, waivers: dict[int, _Waiver], alone: set[int]) -> bool:
    near = [waivers[line] for line in _lines_near(hit.place, alone) if line in waivers]
    return any(_is_valid(waiver) and hit.rule in waiver.rules for waiver in near)


def _lines_near(place: Place, alone: set[int]) -> list[int]:
    """The command's own lines and the comment lines right above: one for each rule may stand there."""
    lines = list(range(place.line, place.end_line + 1))
    above = place.line - 1
    while above in alone:
        lines.append(above)
        above -= 1
    return lines


def _complaint(waiver: _Waiver) -> Hit:
    lacks = "names no rule" if waiver.has_reason else "says no reason, so it waives nothing"
    place = Place(line=waiver.line, end_line=waiver.line)
    return Hit(rule="J5A007", place=place, message=f"This waiver {lacks}.")
