"""docs/audit.md: each rule has a bad and a good example, and the audit agrees with both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gate.core.audit import RULES, audit_paths

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "audit.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENDINGS = {"bash": "sh", "python": "py"}


def examples(rule: str) -> list[tuple[str, str]]:
    _, _, section = PAGE.partition(f"\n## {rule}: ")
    return EXAMPLE.findall(section.partition("\n## ")[0])


def rules_found(folder: Path, language: str, text: str) -> set[str]:
    path = folder / f"example.{ENDINGS[language]}"
    path.write_text(text)
    return {finding.rule for finding in audit_paths([path]).findings}


@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_is_found_and_the_good_one_is_not(rule: str, tmp_path: Path) -> None:
    bad, good = examples(rule)
    assert rule in rules_found(tmp_path, *bad)
    assert rules_found(tmp_path, *good) == set()


def test_it_explains_the_rules_there_are() -> None:
    assert re.findall(r"^## (J5A\d+)", PAGE, re.MULTILINE) == list(RULES)
