"""J5A005: the lock file, its record or its folder is taken away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import cases

SHELL_BAD = [
    "rm -f /tmp/j5a_locks/whisper_large.lock",
    "rm /tmp/j5a_locks/whisper_large.lock.json",
    "cd /tmp/j5a_locks && rm -- whisper_large.lock",
    "rm -f \"$LOCK_DIR/whisper_large.lock\"",
    "LOCK=/tmp/j5a_locks/whisper_large.lock\nrm -f \"$LOCK\"",
    "DIR=/tmp/j5a_locks\nLOCK=$DIR/whisper_large.lock\nrm -f \"${LOCK}\"",
    "readonly LOCK=\"${LOCK:-/tmp/j5a_locks/whisper_large.lock}\"\nrm \"$LOCK\"",
    "rm -f \"$WHISPER_LOCKFILE\"",
    "source ops/resource_safety_gate.sh\nrm -rf \"$LOCKFILE_DIR\"",
    "rm -rf \"${J5A_LOCK_DIR:-/tmp/j5a_locks}\"",
    "rm -rf \"$J5A_LOCK_DIR\"/*",
    "rm -rf /tmp/j5a_locks",
    "rm -rf /tmp/j5a_locks/",
    "rm -f /tmp/j5a_locks/*",
    "rm -f /tmp/j5a_locks/*.lock",
    "rm -f /tmp/*/whisper_*.lock",
    "rm -rf /tmp/j5a*",
    "rm -f /tmp/j5a_locks/whisper_large.{lock,lock.json}",
    "rm -f /tmp/j5a_locks/{other,whisper_large.lock}",
    "sudo rm -f /tmp/j5a_locks/whisper_large.lock",
    "unlink /tmp/j5a_locks/whisper_large.lock",
    "mv /tmp/j5a_locks/whisper_large.lock /tmp/old",
    "find /tmp/j5a_locks -name '*.lock' -delete",
    "find /tmp/j5a_locks -type f -exec rm {} +",
    "trap 'rm -f /tmp/j5a_locks/whisper_large.lock' EXIT",
    "LOCK=/tmp/j5a_locks/whisper_large.lock\ncleanup() { rm -f \"$LOCK\"; }\ntrap cleanup EXIT",
    "drop() { rm -f \"$1\"; }\ndrop /tmp/j5a_locks/whisper_large.lock",
    "if ! ps -p \"$(cat /tmp/j5a_locks/whisper_large.lock)\"; then rm -f /tmp/j5a_locks/whisper_large.lock; fi",
]  # fmt: skip

SHELL_GOOD = [
    "cat /tmp/j5a_locks/whisper_large.lock",
    "ls -l /tmp/j5a_locks/",
    "rm -f /tmp/other.lock",
    "rm -f whisper.lock",
    "rm -f my_whisper_large.lock",
    "rm -f whisper_large.lock.old",
    "rm -rf /tmp/j5a_cache",
    "rm -f *.lock",
    "rm -f \"$LOCK\"",
    "LOCK=/tmp/other.lock\nrm -f \"$LOCK\"",
    "LOCK=/tmp/j5a_locks/whisper_large.lock\nLOCK=/tmp/other\nrm -f \"$LOCK\"",
    "echo rm -f /tmp/j5a_locks/whisper_large.lock",
    "# rm -f /tmp/j5a_locks/whisper_large.lock",
    "cp /tmp/j5a_locks/whisper_large.lock /tmp/copy",
    "mv new /tmp/j5a_backup/",
    "find /tmp/j5a_locks -name '*.lock'",
    "find /tmp/j5a_locks -name '*.log' -delete",
    "git rm whisper_large.lock",
    "release_whisper_lock",
    "manage.py gate lock clear-stale",
]  # fmt: skip

HEAD = "import glob, os, shutil, subprocess\nfrom pathlib import Path\n"

PYTHON_BAD = cases(
    """
os.remove('/tmp/j5a_locks/whisper_large.lock')
---
os.unlink('/tmp/j5a_locks/whisper_large.lock')
---
LOCK = '/tmp/j5a_locks/whisper_large.lock'
os.remove(LOCK)
---
Path('/tmp/j5a_locks/whisper_large.lock').unlink()
---
LOCK = Path('/tmp/j5a_locks') / 'whisper_large.lock'
LOCK.unlink(missing_ok=True)
---
LOCKS = Path('/tmp/j5a_locks')
LOCK = LOCKS / 'whisper_large.lock'
def clean():
    LOCK.unlink()
---
Path('/tmp').joinpath('j5a_locks', 'whisper_large.lock').unlink()
---
os.remove(os.path.join('/tmp/j5a_locks', 'whisper_large.lock'))
---
os.remove(f'{folder}/whisper_large.lock')
---
os.remove(folder + '/whisper_large.lock')
---
def clean(path='/tmp/j5a_locks/whisper_large.lock'):
    os.remove(path)
---
class G:
    LOCK = Path('/tmp/j5a_locks/whisper_large.lock')
    def clean(self):
        self.LOCK.unlink()
---
class G:
    def __init__(self):
        self.lock = '/tmp/j5a_locks/whisper_large.lock'
    def clean(self):
        os.unlink(self.lock)
---
os.remove(os.environ.get('LOCK', '/tmp/j5a_locks/whisper_large.lock'))
---
shutil.rmtree(os.environ['J5A_LOCK_DIR'])
---
shutil.rmtree('/tmp/j5a_locks', ignore_errors=True)
---
LOCK = Path('/tmp/j5a_locks/whisper_large.lock')
shutil.rmtree(LOCK.parent)
---
settings.GATE_LOCK_PATH.unlink()
---
os.remove(WHISPER_LOCKFILE)
---
for f in Path('/tmp/j5a_locks').glob('*.lock'):
    f.unlink()
---
for f in Path('/tmp/j5a_locks').iterdir():
    f.unlink()
---
for f in glob.glob('/tmp/j5a_locks/*'):
    os.remove(f)
---
subprocess.run(['rm', '-f', '/tmp/j5a_locks/whisper_large.lock'])
---
LOCK = '/tmp/j5a_locks/whisper_large.lock'
os.system(f'rm -f {LOCK}')
---
os.rename('/tmp/j5a_locks/whisper_large.lock', '/tmp/old')
"""
)

PYTHON_GOOD = [
    "open('/tmp/j5a_locks/whisper_large.lock').read()",
    "Path('/tmp/j5a_locks/whisper_large.lock').exists()",
    "os.remove('/tmp/other.lock')",
    "os.remove(path)",
    "path.unlink()",
    "Path('/tmp/x').unlink()",
    "shutil.rmtree('/tmp/j5a_cache')",
    "text = 'whisper_large.lock'.replace('l', 'L')",
    "print(\"os.remove('/tmp/j5a_locks/whisper_large.lock')\")",
    "for f in Path('/tmp/j5a_logs').glob('*.log'):\n    f.unlink()",
    "def clean(path):\n    os.remove(path)",
]  # fmt: skip


@pytest.mark.parametrize("text", SHELL_BAD)
def test_it_finds_a_removed_lock_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == {"J5A005"}


@pytest.mark.parametrize("text", SHELL_GOOD)
def test_it_accepts_other_files_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == set()


@pytest.mark.parametrize("text", PYTHON_BAD)
def test_it_finds_a_removed_lock_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == {"J5A005"}


@pytest.mark.parametrize("text", PYTHON_GOOD)
def test_it_accepts_other_files_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == set()
