from __future__ import annotations

import shlex

import pytest

from gate.core.processes import ProcessRow, command_text, descendants, is_watched, program_name, whisper_program

WHISPER = [
    ("whisper a.mp3 --model tiny", "whisper"),
    ("/venv/bin/python3 /venv/bin/whisper a.mp3 --model large-v3", "whisper"),
    ("python -m whisper a.mp3", "whisper"),
    ("python3.11 -um whisper a.mp3", "whisper"),
    ("python -mwhisper a.mp3", "whisper"),
    ("python -m whisper.transcribe a.mp3", "whisper"),
    ("python -X dev -W error -m whisper a.mp3", "whisper"),
    ("python -Xdev -m whisper a.mp3", "whisper"),
    ("python3 -u -O /opt/whisper.py a.mp3", "whisper"),
    ("python --check-hash-based-pycs never -m whisper", "whisper"),
    ("pypy3 -m whisper a.mp3", "whisper"),
    ("/Library/Python -m whisper a.mp3", "whisper"),
    ("python whisper/__main__.py a.mp3", "whisper"),
    ("python /src/whisper/ a.mp3", "whisper"),
    ("python -m transcribe.engine 4711", "engine of a panel"),
    ("/work/.venv/bin/python -u -m transcribe.engine --control 5", "engine of a panel"),
    ("faster-whisper a.mp3", "faster-whisper"),
    ("python3 /srv/faster_whisper_cli.py --model tiny a.mp3", "faster-whisper-cli"),
    ("python -m faster_whisper", "faster-whisper"),
    ("/opt/faster-whisper-xxl a.mp3", "faster-whisper-xxl"),
    ("whisper-ctranslate2 a.mp3", "whisper-ctranslate2"),
    ("python /venv/bin/whisper-ctranslate2 a.mp3", "whisper-ctranslate2"),
    ("python -m whisper_ctranslate2", "whisper-ctranslate2"),
    ("/venv/bin/python /venv/bin/whisperx a.mp3", "whisperx"),
    ("/usr/local/bin/whisper-cli -m ggml-base.bin a.wav", "whisper-cli"),
    ("whisper-server -m ggml-base.bin", "whisper-server"),
    ("./main -m models/ggml-large-v3.bin -f a.wav", "whisper.cpp"),
    ("./main --model=models/ggml-base.en.bin a.wav", "whisper.cpp"),
]

OTHERS = [
    "vim whisper.py",
    "emacs whisper",
    "nano /home/me/whisper",
    "grep -i whisper /var/log/syslog",
    "grep whisper",
    "pgrep -f whisper.*large",
    "tail -f whisper_chunk_1.log",
    "less whisper",
    "cat whisper",
    "bash whisper_chunked_wrapper.sh a.mp3 --model large-v3",
    "/bin/bash /usr/local/bin/whisper a.mp3",
    "/bin/sh ./whisper",
    "bash -c whisper a.mp3",
    "nohup whisper a.mp3",
    "timeout 60 whisper a.mp3",
    "sudo whisper a.mp3",
    "ssh host whisper a.mp3",
    "python manage.py transcribe whisper.mp3",
    "python manage.py gate check --model whisper",
    "/venv/bin/python /venv/bin/gunicorn whisper.wsgi",
    "gunicorn: master [whisper]",
    "python -m pytest tests/test_whisper.py",
    "python -m pip install openai-whisper",
    "pip install whisper",
    "python -c 'import whisper' whisper",
    "python - whisper",
    "python",
    "python -V",
    "python -W whisper script.py",
    "ipython whisper.py",
    "python whisper_report.py",
    "python my_whisper.py",
    "python whispering.py",
    "./main -f whisper.wav",
    "./main -m whisper.bin",
    "main",
    "main -m",
    "main --model",
    "main ggml-base.bin",
    "main -m base.bin ggml-base.bin",
    "mainframe -m ggml-base.bin",
    "node whisper-ui/server.js",
    "rsync -a whisper/ backup/",
    "git clone whisper",
    "whisperd",
    "gnome-whisper-applet",
    "-bash",
]


@pytest.mark.parametrize(("command", "what"), WHISPER)
def test_whisper_program_names_a_real_one(command: str, what: str) -> None:
    assert whisper_program(shlex.split(command)) == what


@pytest.mark.parametrize("command", OTHERS)
def test_whisper_program_passes_over_what_only_mentions_it(command: str) -> None:
    assert whisper_program(shlex.split(command)) is None


@pytest.mark.parametrize("argv", [[], [""], ["python", "-m"], ["python", "-"], ["python", "", "whisper"]])
def test_whisper_program_survives_odd_command_lines(argv: list[str]) -> None:
    assert whisper_program(argv) is None


def row(pid: int, ppid: int, name: str = "x", argv: tuple[str, ...] | None = ()) -> ProcessRow:
    return ProcessRow(pid=pid, ppid=ppid, name=name, rss_bytes=0, age_seconds=None, argv=argv)


def test_descendants_are_the_roots_and_all_below() -> None:
    rows = [row(1, 0), row(2, 1), row(3, 2), row(4, 1), row(5, 3)]
    assert descendants(rows, [2]) == {2, 3, 5}
    assert descendants(rows, []) == frozenset()


@pytest.mark.parametrize(
    ("seen", "watched"),
    [
        (row(1, 0, "claude", ("claude",)), True),
        (row(1, 0, "Claude", None), True),
        (row(1, 0, "node", ("node", "/usr/bin/claude", "-p")), True),
        (row(1, 0, "python3", ("python3", "claude.py")), True),
        (row(1, 0, "vim", ("vim", "claude.md")), False),
        (row(1, 0, "grep", ("grep", "claude")), False),
        (row(1, 0, "claude-helper", ("claude-helper",)), False),
    ],
)
def test_a_watched_program_is_known_by_name_only(seen: ProcessRow, watched: bool) -> None:
    assert is_watched(seen, ("claude",)) is watched


@pytest.mark.parametrize(
    ("argv", "name", "shown"),
    [
        (("/usr/lib/firefox/firefox", "-P"), "firefox", "firefox"),
        (("/venv/bin/python", "manage.py", "worker"), "python", "python manage.py"),
        (("python", "-m", "tools.train.run"), "python", "python tools.train.run"),
        (("/usr/lib/chromium/chromium --type=renderer --lang=en",), "chromium", "chromium"),
        (("postgres: writer process ",), "postgres", "postgres"),
        ((), "kworker/0:1", "kworker/0:1"),
        (None, "secret", "secret"),
    ],
)
def test_program_name_is_what_a_person_would_say(argv: tuple[str, ...] | None, name: str, shown: str) -> None:
    assert program_name(argv, name) == shown


def test_command_text_is_short_and_has_no_control_characters() -> None:
    assert command_text(["a\x1b[31m", "b\n"]) == "a [31m b "
    assert command_text(["x" * 160]) == "x" * 160
    assert command_text(["x" * 161]) == "x" * 159 + "…"
