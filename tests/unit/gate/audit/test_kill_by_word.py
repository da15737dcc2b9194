"""J5A004: processes ended because a word stands in their command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import cases

SHELL_BAD = [
    "pkill -f whisper",
    "pkill -9 -f 'whisper.*large'",
    "pkill whisper",
    "pkill -STOP -f faster_whisper",
    "pkill -u me -f '[w]hisper'",
    "sudo pkill -f whisper || true",
    "killall whisper",
    "killall -9 -q whisper",
    "kill $(pgrep -f whisper)",
    "kill -9 `pgrep whisper`",
    "kill \"$(pidof whisper)\"",
    "kill $(ps aux | grep whisper | grep -v grep | awk '{print $2}')",
    "kill -9 $(ps -ef | awk '/[w]hisper/ {print $2}')",
    "pgrep -f whisper | xargs kill",
    "pgrep -f whisper | xargs -r kill -9",
    "ps aux | grep '[w]hisper' | awk '{print $2}' | xargs sudo kill",
    "pgrep -f whisper | while read -r pid; do kill \"$pid\"; done",
    "for pid in $(pgrep -f whisper); do kill \"$pid\"; done",
    "PIDS=$(pgrep -f whisper || true)\n[ -n \"$PIDS\" ] && kill $PIDS",
    "PIDS=($(pgrep -f whisper))\nkill \"${PIDS[@]}\"",
    "mapfile -t PIDS < <(pgrep -f whisper)\nkill \"${PIDS[@]}\"",
    "while read -r pid; do kill \"$pid\"; done < <(pgrep -f whisper)",
    "PIDS=$(pgrep whisper)\nfor p in $PIDS; do kill -9 $p; done",
    "trap 'pkill -f whisper' EXIT",
    "cleanup() { pkill -f whisper; }\ntrap cleanup EXIT",
    "bash -c 'pkill -f whisper'",
]  # fmt: skip

SHELL_GOOD = [
    "pgrep -f whisper",
    "if pgrep -f whisper > /dev/null; then echo busy; fi",
    "ps aux | grep whisper",
    "pkill -f ffmpeg",
    "pkill -u whisper ffmpeg",
    "pkill -F whisper.pid",
    "pkill -P $$",
    "killall ffmpeg",
    "kill \"$pid\"",
    "kill $(cat whisper.pid)",
    "kill -0 $(pgrep whisper)",
    "pgrep whisper; kill $(pgrep ffmpeg)",
    "kill $(ps aux | grep -v whisper | awk '/ffmpeg/ {print $2}')",
    "echo pkill -f whisper",
    "# pkill -f whisper",
    "cat <<EOF\npkill -f whisper\nEOF",
    "alias stop='pkill -f whisper'",
    "systemctl stop whisper",
    "pgrep -f whisper | wc -l",
]  # fmt: skip

PYTHON_BAD = cases(
    """
import os
os.system('pkill -f whisper')
---
import subprocess
subprocess.run(['pkill', '-9', '-f', 'whisper'])
---
import subprocess
subprocess.run(['killall', 'whisper'])
---
import subprocess
subprocess.run('pgrep -f whisper | xargs kill', shell=True)
---
import psutil
for p in psutil.process_iter():
    if 'whisper' in ' '.join(p.cmdline()):
        p.kill()
---
import psutil
for p in psutil.process_iter(['name']):
    if p.info['name'] == 'whisper':
        p.terminate()
---
import os, psutil
for p in psutil.process_iter():
    if 'Whisper' in p.name():
        os.kill(p.pid, 9)
---
import os, subprocess
for pid in subprocess.check_output(['pgrep', '-f', 'whisper']).split():
    os.kill(int(pid), 9)
---
import os, subprocess
out = subprocess.getoutput('ps aux | grep whisper')
os.kill(int(out.split()[1]), 9)
"""
)

PYTHON_GOOD = [
    "import os\nos.kill(pid, 9)",
    "import subprocess\nsubprocess.run(['pgrep', '-f', 'whisper'])",
    "import psutil\nfor p in psutil.process_iter():\n    if 'whisper' in p.name():\n        print(p.pid)",
    "import psutil\nfor p in psutil.process_iter():\n    if p.name() == 'ffmpeg':\n        p.kill()",
    "print('pkill -f whisper')",
    "process.kill()  # whisper",
    "import os, subprocess\ndef a():\n    subprocess.run(['pgrep', 'whisper'])\ndef b(pid):\n    os.kill(pid, 9)",
]  # fmt: skip


@pytest.mark.parametrize("text", SHELL_BAD)
def test_it_finds_a_kill_by_word_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == {"J5A004"}


@pytest.mark.parametrize("text", SHELL_GOOD)
def test_it_accepts_looking_and_a_kill_by_pid_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == set()


@pytest.mark.parametrize("text", PYTHON_BAD)
def test_it_finds_a_kill_by_word_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(text + "\n") == {"J5A004"}


@pytest.mark.parametrize("text", PYTHON_GOOD)
def test_it_accepts_looking_and_a_kill_by_pid_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(text + "\n") == set()
