"""J5A001 in shell: which command lines start Whisper, and which only mention it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

LAUNCHES = [
    "whisper a.mp3 --model large-v3",
    "/opt/venv/bin/whisper a.mp3",
    '"$VENV/bin/whisper" a.mp3',
    '"${VENV%/}"/bin/whisper a.mp3',
    "python3 -m whisper a.mp3",
    "python3 faster_whisper_cli.py a.mp3",
    "$PYTHON -m whisper a.mp3",
    '"${PYTHON_BIN}" -m whisper a.mp3',
    "./main -m models/ggml-large-v3.bin -f a.wav",
    "MODEL=tiny OMP_NUM_THREADS=2 whisper a.mp3",
    "nice -n 10 ionice -c 3 whisper a.mp3",
    "nohup nice whisper a.mp3 > log 2>&1",
    "timeout -k 5 2h whisper a.mp3",
    "time -p whisper a.mp3",
    "time { whisper a.mp3; }",
    "env -i PATH=/bin LANG=C whisper a.mp3",
    "sudo -u me -E FOO=1 whisper a.mp3",
    "exec whisper a.mp3",
    "command whisper a.mp3",
    "stdbuf -oL whisper a.mp3",
    "taskset -c 0,1 whisper a.mp3",
    "flock -n /tmp/own.lock whisper a.mp3",
    "flock -n /tmp/j5a_locks/whisper_large.lock whisper a.mp3",
    "flock /tmp/own.lock -c 'whisper a.mp3'",
    "uv run whisper a.mp3",
    "conda run -n speech whisper a.mp3",
    "uvx --from openai-whisper whisper a.mp3",
    "if ! whisper a.mp3; then echo failed; fi",
    "while ! whisper a.mp3; do sleep 1; done",
    "case $1 in a) whisper a.mp3 ;; *) : ;; esac",
    "[[ -f a.mp3 ]] && whisper a.mp3",
    "true || whisper a.mp3\nfalse || whisper a.mp3",
    "cat list | while read -r f; do whisper \"$f\"; done",
    "ls *.mp3 | xargs -n 1 whisper",
    "find . -name '*.mp3' -exec whisper {} \\;",
    "text=$(whisper a.mp3)",
    "text=`whisper a.mp3`",
    "echo \"said: $(whisper a.mp3)\"",
    "diff <(whisper a.mp3) old",
    "a=$(( $(whisper a.mp3 | wc -l) + 1 ))",
    "cat <<EOF\n$(whisper a.mp3)\nEOF",
    "bash -c 'whisper a.mp3'",
    "bash -euo pipefail -c \"cd /x && whisper a.mp3\"",
    "sudo su me -c 'whisper a.mp3'",
    "bash <<'EOF'\nwhisper a.mp3\nEOF",
    "bash -s <<< 'whisper a.mp3'",
    "eval whisper a.mp3",
    "trap 'whisper last.mp3' EXIT",
    "tmux new-session -d -s night 'whisper a.mp3'",
    "whi''sper a.mp3",
    "\\whisper a.mp3",
    "whisper \\\n  a.mp3",
    "(cd /x; whisper a.mp3)",
    "{ whisper a.mp3; } > log",
    "CMD=whisper\n$CMD a.mp3",
    "CMD=\"nice whisper --model tiny\"\n$CMD a.mp3",
    "CMD=(whisper --model tiny)\n\"${CMD[@]}\" a.mp3",
    "CMD=(nice)\nCMD+=(whisper)\n\"${CMD[@]}\" a.mp3",
    "W=$(command -v whisper)\n\"$W\" a.mp3",
    "W=${WHISPER_BIN:-whisper}\n\"$W\" a.mp3",
    "set -- whisper a.mp3\n\"$@\"",
    "say() { whisper \"$1\"; }",
    "say() { whisper \"$1\"; }\nsay a.mp3",
    "function say {\n  whisper \"$1\"\n}\nsay a.mp3",
    "python - <<'EOF'\nimport whisper\nmodel = whisper.load_model('tiny')\nEOF",
    "python3 -c 'import whisper; whisper.load_model(\"tiny\")'",
    "if [ -n \"$x\" ]; then\n  exit 1\nfi\nwhisper a.mp3",
]  # fmt: skip

MENTIONS = [
    "# whisper a.mp3",
    "ls # whisper a.mp3",
    "echo whisper a.mp3",
    "echo 'run: whisper a.mp3 &'",
    "printf '%s\\n' 'whisper a.mp3'",
    "cat <<EOF\nwhisper a.mp3 &\nEOF",
    "cat > later.sh <<'EOF'\n#!/bin/bash\nwhisper a.mp3\nEOF",
    "cat <<-EOF\n\twhisper a.mp3\n\tEOF\nls",
    "grep -i whisper log",
    "tail -f whisper.log",
    "vim whisper.py",
    "less whisper",
    "cd whisper",
    "mkdir -p whisper && cp a whisper",
    "ps aux | grep whisper",
    "pgrep -f whisper",
    "watch -n 2 'ps aux | grep whisper'",
    "command -v whisper",
    "which whisper || exit 1",
    "type -P whisper",
    "man whisper",
    "pip install openai-whisper",
    "python -m pip install whisper",
    "git clone https://example.org/whisper",
    "whisper --help",
    "whisper --version",
    "whisper=1",
    "WHISPER=whisper",
    "if [ \"$tool\" = whisper ]; then echo; fi",
    "[[ $tool == whisper ]] && echo",
    "case $tool in whisper) echo ;; esac",
    "for tool in whisper whisperx; do echo $tool; done",
    "./whisper_chunked_wrapper.sh a.mp3 --model large-v3",
    "bash whisper_chunked_wrapper.sh a.mp3 --model large-v3",
    "source whisper.sh",
    "python manage.py transcribe whisper.mp3",
    "python manage.py gate check --model large-v3",
    "ssh server whisper a.mp3",
    "ssh server <<'EOF'\nwhisper a.mp3\nEOF",
    "whisper() { echo stub; }\nwhisper a.mp3",
    "tools=(whisper whisperx)",
    "x=${y:-whisper}",
    "x=\"whisper a.mp3\"",
    "bash -c 'echo whisper a.mp3'",
    "python -c 'print(\"whisper\")'",
    "docker pull whisper",
    "systemctl status whisper",
    "exit 0\nwhisper a.mp3",
]  # fmt: skip


@pytest.mark.parametrize("text", LAUNCHES)
def test_it_finds_a_launch(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") >= {"J5A001"}


@pytest.mark.parametrize("text", MENTIONS)
def test_it_passes_over_a_mention(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == set()


def test_it_names_the_line_where_the_command_begins(shell: Callable[[str], list[tuple[int, str]]]) -> None:
    text = "\n# one\nnice \\\n  whisper a.mp3 \\\n  --model tiny\n\nbash <<'EOF'\nls\nwhisper b.mp3\nEOF\n"
    assert shell(text) == [(3, "J5A001"), (9, "J5A001")]


def test_a_command_that_is_handed_to_a_function_is_found_where_it_is_handed_over(
    shell: Callable[[str], list[tuple[int, str]]],
) -> None:
    text = (
        'run() {\n  echo "$*"\n  nice "$@"\n}\nrun ls\nrun whisper a.mp3\nretry() { shift; "$@"; }\nretry 3 whisper b\n'
    )
    assert shell(text) == [(6, "J5A001"), (8, "J5A001")]


def test_a_launch_that_is_reached_twice_is_one_finding(shell: Callable[[str], list[tuple[int, str]]]) -> None:
    assert shell("say() { whisper $1; }\nsay a\nsay b\n") == [(1, "J5A001")]
