"""J5A008: the gate is asked for a smaller model than the command under it loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gate.core.audit import audit_paths
from tests.support.audit_scripts import cases

SOURCED = "source ops/resource_safety_gate.sh\n"
SMALLER = """
acquire_whisper_lock tiny || exit 1
whisper a.mp3 --model large
---
acquire_whisper_lock tiny || exit 1
whisper a.mp3
---
acquire_whisper_lock demo || exit 1
nice python -m whisper a.mp3 --model=base
whisper a.mp3 --model small
---
M=small
acquire_whisper_lock $M || exit 1
for f in *.mp3; do whisper "$f" --model medium; done
---
if acquire_whisper_lock base; then timeout 60 whisper-cli -m models/ggml-large-v3.bin a.wav; fi
---
acquire_whisper_lock tiny || exit 1
bash -c "whisper a.mp3 --model large-v2"
---
acquire_whisper_lock tiny || exit 1
whisper a.mp3 --model my-own
---
acquire_whisper_lock large || exit 1
acquire_whisper_lock tiny || exit 1
whisper a.mp3 --model large
---
if [ "$1" ]; then acquire_whisper_lock large || exit 1; else acquire_whisper_lock tiny || exit 1; fi
whisper a.mp3 --model large
---
work() { whisper a.mp3 --model "$1"; }
acquire_whisper_lock tiny || exit 1
work medium
---
python manage.py gate run --model tiny -- whisper a.mp3 --model large
---
python manage.py gate run --wait --model=tiny -- env A=1 whisper a.mp3 --model large
---
acquire_whisper_lock tiny || exit 1
python -c 'import whisper; whisper.load_model("large")'
---
acquire_whisper_lock tiny || exit 1
python - <<'PY'
from faster_whisper import WhisperModel
WhisperModel(model_size_or_path="medium")
PY
"""
EQUAL_OR_LARGER = """
acquire_whisper_lock large-v3 || exit 1
whisper a.mp3 --model large
---
acquire_whisper_lock || exit 1
whisper a.mp3 --model large-v3
---
acquire_whisper_lock tiny || exit 1
whisper a.mp3 --model base
---
acquire_whisper_lock "$MODEL" || exit 1
whisper a.mp3 --model large
---
acquire_whisper_lock tiny || exit 1
whisper a.mp3 --model "$MODEL"
---
acquire_whisper_lock tiny || exit 1
acquire_whisper_lock large || exit 1
whisper a.mp3 --model large
---
acquire_whisper_lock /models/mine.pt || exit 1
whisper a.mp3 --model /models/mine.pt
---
python manage.py gate run -- whisper a.mp3 --model large
---
python manage.py gate run --model medium -- whisper a.mp3 --model small
---
acquire_whisper_lock tiny || exit 1
echo whisper a.mp3 --model large
whisper --help
---
acquire_whisper_lock tiny || exit 1
python manage.py gate run -- whisper a.mp3 --model large
"""


@pytest.mark.parametrize("text", cases(SMALLER))
def test_a_smaller_model_is_found(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(SOURCED + text) == {"J5A008"}


@pytest.mark.parametrize("text", cases(EQUAL_OR_LARGER))
def test_an_equal_or_larger_or_unknown_one_is_not(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(SOURCED + text) == set()


def test_without_the_gate_it_is_that_which_is_found(shell_rules: Callable[[str], set[str]]) -> None:
    text = SOURCED + "acquire_whisper_lock tiny || exit 1\nrelease_whisper_lock\nwhisper a.mp3 --model large\n"
    assert shell_rules(text) == {"J5A001"}


def test_it_is_found_in_a_command_line_of_python(python_rules: Callable[[str], set[str]]) -> None:
    text = 'import os\nos.system("python manage.py gate run --model tiny -- whisper a.mp3 --model large")\n'
    assert python_rules(text) == {"J5A008"}


def test_it_says_both_models_and_how_to_mend_it(tmp_path: Path) -> None:
    path = tmp_path / "night.sh"
    path.write_text(SOURCED + "acquire_whisper_lock tiny || exit 1\nwhisper a.mp3\n")
    (finding,) = audit_paths([path]).findings
    assert (finding.line, finding.rule) == (3, "J5A008")
    assert finding.message == "The gate was asked for tiny, and whisper loads turbo, the default of whisper."
    assert "Name the same model to both" in finding.mend
