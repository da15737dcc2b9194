"""J5A002: MAX_PARALLEL over 1, and workers side by side that lead to Whisper."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import GATED, cases

SHELL_BAD = [
    "MAX_PARALLEL=2",
    "MAX_PARALLEL=\"4\"",
    "export MAX_PARALLEL=4",
    "readonly MAX_PARALLEL=4",
    "declare -ri MAX_PARALLEL=3",
    "f() { local MAX_PARALLEL=3; }",
    "WHISPER_MAX_PARALLEL=2",
    "MAX_PARALLEL=${MAX_PARALLEL:-2}",
    "MAX_PARALLEL=${1:-2}",
    ": \"${MAX_PARALLEL:=4}\"",
    "echo \"${MAX_PARALLEL:-4}\"",
    "MAX_PARALLEL=$(nproc)",
    "MAX_PARALLEL=`nproc`",
    "MAX_PARALLEL=$(( $(nproc) / 2 ))",
    "MAX_PARALLEL=4 ./whisper_chunked_wrapper.sh a.mp3",
    "N=3\nMAX_PARALLEL=$N",
    "if true; then MAX_PARALLEL=2; else MAX_PARALLEL=1; fi",
    GATED + "ls *.mp3 | xargs -P 4 -n 1 whisper",
    GATED + "ls *.mp3 | xargs -P4 -n1 whisper",
    GATED + "ls *.mp3 | xargs -0 -n 1 --max-procs=2 nice whisper",
    GATED + "ls *.mp3 | xargs -P 0 whisper",
    GATED + "ls *.mp3 | xargs -P \"$(nproc)\" whisper",
    GATED + "ls *.mp3 | xargs -P 2 -I{} bash -c 'whisper \"{}\"'",
    GATED + "say() { whisper \"$1\"; }\nexport -f say\nls | xargs -P 2 -I{} bash -c 'say \"$@\"' _ {}",
    GATED + "parallel whisper {} ::: *.mp3",
    GATED + "parallel -j 2 whisper {} ::: *.mp3",
    GATED + "parallel -j4 'whisper {} --model tiny' ::: *.mp3",
    GATED + "parallel --jobs=50% whisper ::: *.mp3",
    GATED + "find . -name '*.mp3' -print0 | xargs -0 -P2 -n1 whisper",
]  # fmt: skip

SHELL_GOOD = [
    "MAX_PARALLEL=1",
    "readonly MAX_PARALLEL=1",
    "MAX_PARALLEL=${MAX_PARALLEL:-1}",
    "MAX_PARALLEL=$(calculate_safe_parallel_count)",
    "MAX_PARALLEL=\"$(calculate_safe_parallel_count)\"",
    "MAX_PARALLEL=$1",
    "# MAX_PARALLEL=4",
    "echo MAX_PARALLEL=4",
    "echo 'MAX_PARALLEL=4' > .env",
    "NOT_PARALLEL=4",
    "if [ \"$MAX_PARALLEL\" -gt 4 ]; then exit 1; fi",
    "ls *.mp3 | xargs -P 4 -n 1 ffprobe",
    "parallel -j 4 ffmpeg -i {} {.}.wav ::: *.mp3",
    GATED + "ls *.mp3 | xargs -n 1 whisper",
    GATED + "ls *.mp3 | xargs -P 1 -n 1 whisper",
    GATED + "ls *.mp3 | xargs -P $(calculate_safe_parallel_count) -n 1 whisper",
    GATED + "parallel -j 1 whisper {} ::: *.mp3",
    GATED + "parallel -j1 whisper ::: *.mp3",
    "ls *.mp3 | xargs -P 4 -I{} manage.py gate run --wait -- whisper {}",
]  # fmt: skip

HEAD = """
import asyncio, multiprocessing, os, subprocess
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import whisper
from gate.services import lock_acquire

held = lock_acquire(model="tiny")
model = whisper.load_model("tiny")

def say(path):
    model.transcribe(path)

def outer(path):
    return say(path)
"""

PYTHON_BAD = cases(
    """
MAX_PARALLEL = 4
---
max_parallel: int = 2
---
class S:
    MAX_PARALLEL = 2
---
settings.MAX_PARALLEL = 2
---
go(max_parallel=2)
---
def go(max_parallel=2): pass
---
def go(*, max_parallel: int = 3): pass
---
CONFIG = {'max_parallel': 2}
---
os.environ['MAX_PARALLEL'] = '4'
---
MAX_PARALLEL = os.cpu_count()
---
MAX_PARALLEL = int(os.environ.get('MAX_PARALLEL', '2'))
---
with ThreadPoolExecutor(max_workers=2) as pool:
    list(pool.map(say, files))
---
with ThreadPoolExecutor() as pool:
    list(pool.map(say, files))
---
with ThreadPoolExecutor(2) as pool:
    for f in files:
        pool.submit(outer, f)
---
with ThreadPoolExecutor(2) as pool:
    pool.map(model.transcribe, files)
---
with ThreadPoolExecutor(2) as pool:
    pool.map(lambda f: model.transcribe(f), files)
---
pool = ProcessPoolExecutor(4)
pool.submit(say, 'a')
---
ProcessPoolExecutor(os.cpu_count()).map(say, files)
---
multiprocessing.Pool(3).map(say, files)
---
with multiprocessing.Pool() as pool:
    pool.imap_unordered(say, files)
---
with multiprocessing.get_context('spawn').Pool(3) as pool:
    pool.map(say, files)
---
class Q:
    def __init__(self):
        self.pool = ThreadPoolExecutor(2)
    def go(self, f):
        self.pool.submit(say, f)
---
with ThreadPoolExecutor(4) as pool:
    pool.submit(subprocess.run, ['whisper', 'a.mp3'])
---
pool = ThreadPoolExecutor(4)
async def go(loop):
    await loop.run_in_executor(pool, say, 'a')
---
from joblib import Parallel, delayed
Parallel(n_jobs=2)(delayed(say)(f) for f in files)
---
async def go():
    await asyncio.gather(*(asyncio.to_thread(say, f) for f in files))
---
subprocess.run('ls | xargs -P 4 whisper', shell=True)
"""
)

PYTHON_GOOD = [
    "MAX_PARALLEL = 1",
    "max_parallel = True",
    "MAX_PARALLEL = int(os.environ.get('MAX_PARALLEL', '1'))",
    "max_workers = 4",
    "print('MAX_PARALLEL = 4')",
    "with ThreadPoolExecutor(max_workers=1) as pool:\n    list(pool.map(say, files))",
    "WORKERS = 1\nwith ThreadPoolExecutor(WORKERS) as pool:\n    list(pool.map(say, files))",
    "with ThreadPoolExecutor(4) as pool:\n    list(pool.map(os.stat, files))",
    "with ThreadPoolExecutor(4) as pool:\n    pool.submit(subprocess.run, ['ffmpeg', '-i', 'a.mp3'])",
    "from joblib import Parallel, delayed\nParallel(n_jobs=1)(delayed(say)(f) for f in files)",
    "async def go():\n    await asyncio.gather(asyncio.sleep(1), asyncio.to_thread(say, 'a'))",
    "list(map(say, files))",
]  # fmt: skip


@pytest.mark.parametrize("text", SHELL_BAD)
def test_it_finds_more_than_one_at_once_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == {"J5A002"}


@pytest.mark.parametrize("text", SHELL_GOOD)
def test_it_accepts_one_at_a_time_in_shell(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(text + "\n") == set()


@pytest.mark.parametrize("text", PYTHON_BAD)
def test_it_finds_more_than_one_at_once_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == {"J5A002"}


@pytest.mark.parametrize("text", PYTHON_GOOD)
def test_it_accepts_one_at_a_time_in_python(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == set()


def test_a_pool_is_found_where_its_size_is_set(python: Callable[[str], list[tuple[int, str]]]) -> None:
    text = "\npool = ThreadPoolExecutor(2)\n\nfor f in files:\n    pool.submit(say, f)\n"
    assert python(HEAD + text) == [(HEAD.count("\n") + 2, "J5A002")]
