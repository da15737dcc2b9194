"""A waiver needs a rule and a reason, and stands on the line or right above it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gate.core.audit import audit_paths

VALID = [
    "whisper a.mp3  # j5a: allow J5A001 because the engine of the demo needs 100 MB\n",
    "# j5a: allow J5A001 because it is a tiny model\nwhisper a.mp3\n",
    "#j5a: allow J5A001 because it is a tiny model\nwhisper a.mp3\n",
    "# J5A: ALLOW j5a001 BECAUSE it is a tiny model\nwhisper a.mp3\n",
    "# tidy, j5a: allow\n# j5a: allow J5A001 because it is tiny\nwhisper a.mp3\n",
    "whisper a.mp3 & # j5a: allow J5A001, J5A003 because nothing else runs on this machine\n",
    "whisper a.mp3 & # j5a: allow J5A001 J5A003 because nothing else runs on this machine\n",
    "# j5a: allow J5A001 because it is tiny\n# j5a: allow J5A003 because it is alone\nwhisper a.mp3 &\n",
    "# j5a: allow J5A001 because it is tiny\n# Once a day.\nwhisper a.mp3\n",
    "whisper \\\n  a.mp3 # j5a: allow J5A001 because it is tiny\n",
    "if true; then\n    # j5a: allow J5A001 because it is tiny\n    whisper a.mp3\nfi\n",
    "bash <<'EOF'\n# j5a: allow J5A001 because it is tiny\nwhisper a.mp3\nEOF\n",
    "whisper a.mp3  # j5a: allow J5A001, J5A006 because one of them is not needed\n",
]

NOT_FOR_THIS = [
    ("whisper a.mp3\n# j5a: allow J5A001 because it stands below\n", [(1, "J5A001")]),
    ("# j5a: allow J5A001 because of the line between\n\nwhisper a.mp3\n", [(3, "J5A001")]),
    ("ls # j5a: allow J5A001 because this is another command's\nwhisper a.mp3\n", [(2, "J5A001")]),
    ("whisper a.mp3 # j5a: allow J5A003 because it is another rule's\n", [(1, "J5A001")]),
    ("whisper a.mp3 & # j5a: allow J5A001 because it is tiny\n", [(1, "J5A003")]),
    ("whisper a.mp3 # j5a: allow J5A0011 because the number is wrong\n", [(1, "J5A001"), (1, "J5A007")]),
    ("whisper '# j5a: allow J5A001 because this is no comment'\n", [(1, "J5A001")]),
    ("cat <<EOF\n# j5a: allow J5A001 because this is text\nEOF\nwhisper a.mp3\n", [(4, "J5A001")]),
]

WITHOUT_REASON = [
    "whisper a.mp3 # j5a: allow J5A001\n",
    "whisper a.mp3 # j5a: allow J5A001 because\n",
    "whisper a.mp3 # j5a: allow J5A001 because ...\n",
    "whisper a.mp3 # j5a: allow J5A001 it is tiny\n",
    "whisper a.mp3 # j5a: allow because it is tiny\n",
    "whisper a.mp3 # j5a: allow\n",
]

Audited = Callable[[str], list[tuple[int, str]]]


@pytest.mark.parametrize("text", VALID)
def test_a_waiver_with_a_reason_takes_the_finding_away(text: str, shell: Audited) -> None:
    assert shell(text) == []


@pytest.mark.parametrize(("text", "stays"), NOT_FOR_THIS)
def test_a_waiver_counts_only_for_its_rule_and_its_line(
    text: str, stays: list[tuple[int, str]], shell: Audited
) -> None:
    assert shell(text) == stays


@pytest.mark.parametrize("text", WITHOUT_REASON)
def test_a_waiver_without_reason_or_rule_waives_nothing_and_is_a_finding(text: str, shell: Audited) -> None:
    assert [rule for _, rule in shell(text)] == ["J5A001", "J5A007"]


def test_a_waiver_that_nothing_needs_is_no_finding(shell: Audited) -> None:
    assert shell("# j5a: allow J5A001 because it was needed once\nls\n") == []


def test_a_comment_about_waivers_is_none(shell: Audited) -> None:
    assert shell("# Write j5a and allow to waive.\n# not j5a-allowed: J5A001\nls\n") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import whisper\nwhisper.load_model('tiny')  # j5a: allow J5A001 because a test loads it\n", []),
        ("import whisper\n# j5a: allow J5A001 because a test loads it\nwhisper.load_model('tiny')\n", []),
        ("import whisper\nwhisper.load_model(\n    'tiny',\n)  # j5a: allow J5A001 because a test loads it\n", []),
        ("import whisper\nwhisper.load_model('tiny')  # j5a: allow J5A001\n", [(2, "J5A001"), (2, "J5A007")]),
        ("import whisper\nwhisper.load_model('# j5a: allow J5A001 because this is no comment')\n", [(2, "J5A001")]),
    ],
)
def test_waivers_in_python(text: str, found: list[tuple[int, str]], python: Audited) -> None:
    assert python(text) == found


def test_it_says_what_the_waiver_lacks(tmp_path: Path) -> None:
    path = tmp_path / "x.sh"
    path.write_text("# j5a: allow J5A001\nls # j5a: allow because it is tiny\n")
    messages = [finding.message for finding in audit_paths([path]).findings]
    assert messages == ["This waiver says no reason, so it waives nothing.", "This waiver names no rule."]
