"""J5A001 in shell: a launch is gated when the lock is held there, whichever way the script came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gate.core.audit import audit_paths
from tests.support.audit_scripts import GATED

SOURCE = "source ops/resource_safety_gate.sh\n"

GOOD = [
    GATED + "whisper a.mp3",
    '. "$(dirname "$0")/ops/resource_safety_gate.sh"\nacquire_whisper_lock || { echo no >&2; exit 1; }\nwhisper a.mp3',
    SOURCE + "if ! acquire_whisper_lock tiny; then\n  echo blocked\n  exit 1\nfi\nwhisper a.mp3 --model tiny",
    SOURCE + "if acquire_whisper_lock; then whisper a.mp3; fi",
    SOURCE + "if acquire_whisper_lock; then :; else exit 1; fi\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock && whisper a.mp3",
    SOURCE + "acquire_whisper_lock || exit\nfor f in *.mp3; do whisper \"$f\"; done",
    SOURCE + "until acquire_whisper_lock; do sleep 60; done\nwhisper a.mp3",
    SOURCE + "while ! acquire_whisper_lock; do sleep 60; done\nwhisper a.mp3",
    SOURCE + "while true; do\n  acquire_whisper_lock && break\n  sleep 60\ndone\nwhisper a.mp3",
    SOURCE + "set -e\nacquire_whisper_lock\nwhisper a.mp3",
    "#!/bin/bash -e\n" + SOURCE + "acquire_whisper_lock\nwhisper a.mp3",
    "set -euo pipefail\n" + SOURCE + "acquire_whisper_lock\nwhisper a.mp3 | tee log",
    SOURCE + "main() {\n  acquire_whisper_lock || return 1\n  whisper a.mp3\n}\nmain \"$@\" 2>&1 | tee log",
    SOURCE + "take() { acquire_whisper_lock || exit 1; }\ntake\nwhisper a.mp3",
    SOURCE + "die() { echo \"$1\"; exit 1; }\nacquire_whisper_lock || die blocked\nwhisper a.mp3",
    "say() { whisper \"$1\"; }\n" + GATED + "say a.mp3",
    SOURCE + "trap release_whisper_lock EXIT\nacquire_whisper_lock || exit 1\nwhisper a.mp3\nrelease_whisper_lock",
    GATED + "trap 'release_whisper_lock' EXIT INT TERM\nwhisper a.mp3",
    GATED + "ls *.mp3 | xargs -n 1 whisper",
    GATED + "bash -c 'whisper a.mp3'",
    GATED + "python - <<'EOF'\nimport whisper\nwhisper.load_model('tiny')\nEOF",
    GATED + "release_whisper_lock\nacquire_whisper_lock || exit 1\nwhisper a.mp3",
    SOURCE + "for f in *.mp3; do\n  acquire_whisper_lock || exit 1\n  whisper \"$f\"\n  release_whisper_lock\ndone",
    SOURCE + "case $1 in\n  go) acquire_whisper_lock || exit 1 ;;\n  *) exit 2 ;;\nesac\nwhisper a.mp3",
    "if [ -f gate.sh ]; then\n  " + SOURCE + "else\n  exit 1\nfi\nacquire_whisper_lock || exit 1\nwhisper a.mp3",
    "GATE=ops/resource_safety_gate.sh\nsource \"$GATE\"\nacquire_whisper_lock || exit 1\nwhisper a.mp3",
    "manage.py gate run -- whisper a.mp3",
    "nohup .venv/bin/python manage.py gate run --model tiny --wait -- nice whisper a.mp3 --model tiny",
    "./manage.py gate run -- bash -c 'whisper a.mp3; whisper b.mp3'",
    "\"$PYTHON\" \"$ROOT/manage.py\" gate run --wait -- whisper a.mp3",
    "python manage.py transcribe a.mp3 --model large-v3",
]  # fmt: skip

BAD = [
    "whisper a.mp3\n" + GATED,
    GATED + "release_whisper_lock\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock || true\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock || echo blocked\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock\nwhisper a.mp3",
    SOURCE + "set -e\nset +e\nacquire_whisper_lock\nwhisper a.mp3",
    SOURCE + "set -e\nacquire_whisper_lock && echo held\nwhisper a.mp3",
    SOURCE + "if ! acquire_whisper_lock; then\n  echo blocked\nfi\nwhisper a.mp3",
    SOURCE + "if ! acquire_whisper_lock; then whisper a.mp3; fi",
    SOURCE + "acquire_whisper_lock || whisper a.mp3",
    SOURCE + "if [ $large = 1 ]; then acquire_whisper_lock || exit 1; fi\nwhisper a.mp3",
    SOURCE + "[ $minutes -lt 15 ] || acquire_whisper_lock || exit 1\nwhisper a.mp3",
    SOURCE + "for try in 1 2 3; do acquire_whisper_lock && break; done\nwhisper a.mp3",
    SOURCE + "(acquire_whisper_lock || exit 1)\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock | tee log || exit 1\nwhisper a.mp3",
    SOURCE + "said=$(acquire_whisper_lock) || exit 1\nwhisper a.mp3",
    SOURCE + "echo acquire_whisper_lock\nwhisper a.mp3",
    SOURCE + "# acquire_whisper_lock || exit 1\nwhisper a.mp3",
    SOURCE + "sudo acquire_whisper_lock || exit 1\nwhisper a.mp3",
    SOURCE + "acquire_whisper_lock() { return 0; }\nacquire_whisper_lock || exit 1\nwhisper a.mp3",
    SOURCE + "run_all_safety_checks && whisper a.mp3",
    SOURCE + "wait_for_safe_conditions 300 && whisper a.mp3",
    "./ops/resource_safety_gate.sh && whisper a.mp3",
    "python manage.py gate check && whisper a.mp3",
    "source .venv/bin/activate\nacquire_whisper_lock || exit 1\nwhisper a.mp3",
    "set -e\nacquire_whisper_lock\nwhisper a.mp3",
    "say() { whisper \"$1\"; }\nsay a.mp3\n" + GATED + "say b.mp3",
    SOURCE + "for f in *.mp3; do\n  whisper \"$f\"\n  acquire_whisper_lock || exit 1\n  release_whisper_lock\ndone",
    GATED + "for f in *.mp3; do\n  whisper \"$f\"\n  release_whisper_lock\ndone",
    SOURCE + "take() { acquire_whisper_lock; echo; }\ntake || exit 1\nwhisper a.mp3",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_it_accepts_a_launch_under_the_lock(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == set()


@pytest.mark.parametrize("text", BAD)
def test_it_finds_a_launch_that_a_no_of_the_gate_does_not_stop(
    text: str, shell_rules: Callable[[str], set[str]]
) -> None:
    assert shell_rules(text + "\n") == {"J5A001"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("whisper a.mp3", "whisper is started without the gate."),
        (SOURCE + "acquire_whisper_lock\nwhisper a.mp3", "may have said no"),
        ("acquire_whisper_lock || exit 1\nwhisper a.mp3", "does not source resource_safety_gate.sh"),
        (GATED + "release_whisper_lock\nwhisper a.mp3", "given back before"),
    ],
)
def test_it_says_what_is_missing(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.sh"
    path.write_text(text)
    (finding,) = audit_paths([path]).findings
    assert why in finding.message
    assert "gate run" in finding.mend


def test_functions_of_a_library_are_judged_by_the_one_that_others_call(
    shell: Callable[[str], list[tuple[int, str]]],
) -> None:
    gated = SOURCE + "one() { whisper $1; }\nall() {\n  acquire_whisper_lock || return 1\n  one a\n}\n"
    assert shell(gated) == []
    assert shell(gated + "some() { one b; }\n") == [(2, "J5A001")]
