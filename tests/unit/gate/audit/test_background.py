"""J5A003: Whisper that is left running while the next one can begin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import GATED, cases

SHELL_BAD = [
    "whisper a.mp3 &",
    "whisper a.mp3 & whisper b.mp3",
    "nohup nice whisper a.mp3 > log 2>&1 &",
    "whisper a.mp3 2>&1 | tee log &",
    "for f in *.mp3; do\n  whisper \"$f\" &\ndone\nwait",
    "for f in *.mp3; do whisper \"$f\"; done &",
    "(cd /x && whisper a.mp3) &",
    "{ whisper a.mp3; whisper b.mp3; } &",
    "ls | while read -r f; do whisper \"$f\" & done",
    "whisper a.mp3 &\npid=$!\nwait \"$pid\"",
    "say() { whisper \"$1\"; }\nsay a.mp3 &",
    "say() { whisper \"$1\" & }\nsay a.mp3",
    "run() { \"$@\" & }\nrun whisper a.mp3",
    "coproc whisper a.mp3",
    "setsid --fork whisper a.mp3",
    "screen -dmS night whisper a.mp3",
    "systemd-run --user whisper a.mp3",
    "bash -c 'whisper a.mp3 &'",
    "true && whisper a.mp3 &",
    "if true; then\n  whisper a.mp3 &\nfi",
    "whisper a.mp3 &> log & whisper b.mp3 &",
    "manage.py gate run -- bash -c 'whisper a & whisper b & wait'",
]  # fmt: skip

SHELL_GOOD = [
    "whisper a.mp3",
    "whisper a.mp3 && echo done",
    "whisper a.mp3 &> log",
    "whisper a.mp3 2>&1",
    "whisper a.mp3 >& log",
    "whisper 'a & b.mp3'",
    "whisper a\\&b.mp3",
    "tail -f whisper.log &\nwhisper a.mp3",
    "sleep 60 & whisper a.mp3",
    "whisper a.mp3 # &",
    "systemd-run --user --wait whisper a.mp3",
    "setsid whisper a.mp3",
    "for f in *.mp3; do whisper \"$f\"; done\necho & wait",
    "nohup manage.py gate run --wait -- whisper a.mp3 &",
    "for f in *.mp3; do manage.py gate run --wait -- whisper \"$f\" & done; wait",
    "manage.py transcribe a.mp3 &",
]  # fmt: skip

HEAD = """
import asyncio, multiprocessing, os, subprocess, threading
import whisper
from gate.services import lock_acquire

held = lock_acquire(model="tiny")
model = whisper.load_model("tiny")

def say(path):
    model.transcribe(path)
"""

PYTHON_BAD = cases(
    """
for f in files:
    subprocess.Popen(['whisper', f])
---
ps = [subprocess.Popen(['whisper', f]) for f in files]
for p in ps:
    p.wait()
---
while files:
    running.append(subprocess.Popen(['whisper', files.pop()]))
---
for f in files:
    threading.Thread(target=say, args=(f,)).start()
---
ts = []
for f in files:
    t = threading.Thread(target=say, args=(f,))
    t.start()
    ts.append(t)
for t in ts:
    t.join()
---
for f in files:
    multiprocessing.Process(target=say, args=(f,)).start()
---
async def go():
    for f in files:
        await asyncio.create_subprocess_exec('whisper', f)
---
os.system('whisper a.mp3 &')
---
subprocess.run('for f in *.mp3; do whisper "$f" & done; wait', shell=True)
"""
)

PYTHON_GOOD = [
    "subprocess.Popen(['whisper', 'a.mp3']).wait()",
    "p = subprocess.Popen(['whisper', 'a.mp3'])\np.wait()",
    "for f in files:\n    p = subprocess.Popen(['whisper', f])\n    p.wait()",
    "for f in files:\n    out, _ = subprocess.Popen(['whisper', f]).communicate()",
    "for f in files:\n    with subprocess.Popen(['whisper', f]):\n        pass",
    "for f in files:\n    subprocess.run(['whisper', f])",
    "for f in files:\n    subprocess.Popen(['ffmpeg', '-i', f])",
    "t = threading.Thread(target=say, args=('a',))\nt.start()",
    "for f in files:\n    t = threading.Thread(target=say, args=(f,))\n    t.start()\n    t.join()",
    "for f in files:\n    threading.Thread(target=print, args=(f,)).start()",
]  # fmt: skip


@pytest.mark.parametrize("text", SHELL_BAD)
def test_it_finds_whisper_in_the_background_of_a_script(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(GATED + text + "\n") == {"J5A003"}


@pytest.mark.parametrize("text", SHELL_GOOD)
def test_it_accepts_whisper_in_the_foreground(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(GATED + text + "\n") == set()


@pytest.mark.parametrize("text", PYTHON_BAD)
def test_it_finds_whisper_that_a_loop_leaves_running(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == {"J5A003"}


@pytest.mark.parametrize("text", PYTHON_GOOD)
def test_it_accepts_a_program_that_waits(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == set()


def test_the_finding_stands_where_the_background_command_begins(
    shell: Callable[[str], list[tuple[int, str]]],
) -> None:
    text = "say() {\n  whisper $1\n}\nsay a &\nfor f in *; do\n  say $f\ndone &\n"
    lines = [(line - GATED.count("\n"), rule) for line, rule in shell(GATED + text)]
    assert lines == [(4, "J5A003"), (5, "J5A003")]
