"""J5A001 in Python: which calls load a model or start a Whisper program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import cases

LAUNCHES = cases(
    """
import whisper
whisper.load_model('large-v3')
---
import whisper as w
w.load_model('tiny')
---
from whisper import load_model
load_model('tiny')
---
from whisper import load_model as load
load('tiny')
---
import importlib
w = importlib.import_module('whisper')
w.load_model('tiny')
---
from faster_whisper import WhisperModel
model = WhisperModel('large-v3', device='cpu')
---
import faster_whisper
faster_whisper.WhisperModel('tiny')
---
import whisperx
whisperx.load_model('large-v2', 'cpu')
---
import stable_whisper
stable_whisper.load_model('base')
---
import whisper_timestamped as ts
ts.load_model('base')
---
from transformers import pipeline
pipeline('automatic-speech-recognition', model='openai/whisper-large-v3')
---
from transformers import pipeline
pipeline(model='distil-whisper/distil-large-v3')
---
import transformers
transformers.pipeline(task='automatic-speech-recognition')
---
from transformers import WhisperForConditionalGeneration as W
W.from_pretrained('openai/whisper-large-v3')
---
def run():
    import whisper
    return whisper.load_model('tiny')
---
import whisper
class Engine:
    def __init__(self):
        self.model = whisper.load_model('tiny')
---
import whisper
models = [whisper.load_model(name) for name in names]
---
import whisper
load = lambda: whisper.load_model('tiny')
---
import subprocess
subprocess.run(['whisper', path, '--model', 'large'], timeout=7200)
---
import subprocess as sp
sp.check_call(('whisper', path))
---
from subprocess import Popen
Popen(['nice', '-n', '10', 'whisper', path])
---
import subprocess
subprocess.run(args=['whisper', path])
---
import subprocess, sys
subprocess.run([sys.executable, '-m', 'whisper', path])
---
import subprocess
cmd = ['whisper', str(path), '--model', 'large']
subprocess.run(cmd, check=True)
---
import subprocess
cmd = ['whisper']
cmd += ['--model', 'large']
subprocess.run(cmd)
---
import subprocess
BASE = ['whisper']
def go(f):
    subprocess.run(BASE + [f])
---
import subprocess
BASE = ['whisper']
def go(f):
    subprocess.run([*BASE, f])
---
import subprocess
subprocess.run('whisper a.mp3 --model large', shell=True)
---
import subprocess
subprocess.run(f'whisper {path} --model large', shell=True)
---
import subprocess
subprocess.run('cd /x && whisper %s' % path, shell=True)
---
import subprocess
subprocess.run('whisper {}'.format(path), shell=True)
---
import subprocess
subprocess.run('whisper ' + path, shell=True)
---
import subprocess, shlex
subprocess.run(shlex.split('whisper a.mp3'))
---
import subprocess
subprocess.run('whisper a.mp3'.split())
---
import subprocess
subprocess.run(['bash', '-c', 'whisper a.mp3'])
---
import subprocess, shutil
subprocess.run([shutil.which('whisper'), path])
---
import subprocess
from pathlib import Path
VENV = Path('/opt/venv')
subprocess.run([str(VENV / 'bin' / 'whisper'), path])
---
import subprocess
from pathlib import Path
BIN = Path(__file__).parent / 'whisper'
subprocess.run([BIN, path])
---
import os
os.system('whisper a.mp3')
---
from os import system
system('nohup whisper a.mp3 > log')
---
import os
os.popen('whisper a.mp3')
---
import os
os.execvp('whisper', ['whisper', path])
---
import os
os.execlp('whisper', 'whisper', path)
---
import os
os.spawnlp(os.P_WAIT, 'whisper', 'whisper', path)
---
import asyncio
async def go():
    await asyncio.create_subprocess_exec('whisper', path)
---
import asyncio
async def go():
    await asyncio.create_subprocess_shell('whisper a.mp3')
---
import subprocess
def run(cmd):
    return subprocess.run(cmd, check=True)
run(['whisper', path])
---
import subprocess
class J:
    def sh(self, cmd):
        subprocess.run(cmd)
    def go(self):
        self.sh(['whisper', 'a'])
"""
)

MENTIONS = [
    "# import whisper; whisper.load_model('tiny')",
    "import whisper",
    "import whisper\nwhisper.load_audio('a.mp3')",
    "import whisper\nprint(whisper.__version__, whisper.available_models())",
    "'whisper.load_model(\"tiny\")'",
    "def f():\n    '''whisper a.mp3 &'''",
    "print('whisper a.mp3')",
    "command = ['whisper', 'a.mp3']",
    "import mine\nmine.load_model('whisper')",
    "whisper.load_model('tiny')",
    "from mine import whisper\nwhisper.load_model('tiny')",
    "import torch\ntorch.load('whisper.pt')",
    "from transformers import pipeline\npipeline('sentiment-analysis')",
    "import subprocess\nsubprocess.run(['grep', 'whisper', 'log'])",
    "import subprocess\nsubprocess.run(['ps', 'aux'])",
    "import subprocess\nsubprocess.run(['whisper', '--help'])",
    "import subprocess\nsubprocess.run(['bash', 'whisper_chunked_wrapper.sh', path])",
    "import subprocess\nsubprocess.run([tool, 'whisper'])",
    "import subprocess\nsubprocess.run(cmd)",
    "import subprocess\nsubprocess.run(['python', 'manage.py', 'gate', 'run', '--', 'whisper', path])",
    "import subprocess, sys\nsubprocess.run([sys.executable, 'manage.py', 'transcribe', 'whisper.mp3'])",
    "import os\nos.system('echo whisper a.mp3')",
    "def run(cmd):\n    print(cmd)\nrun(['whisper', 'a.mp3'])",
    "import sys, whisper\nsys.exit(1)\nwhisper.load_model('tiny')",
]  # fmt: skip


@pytest.mark.parametrize("text", LAUNCHES)
def test_it_finds_a_launch(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(text + "\n") == {"J5A001"}


@pytest.mark.parametrize("text", MENTIONS)
def test_it_passes_over_a_mention(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(text + "\n") == set()


def test_it_names_the_line_where_the_call_begins(python: Callable[[str], list[tuple[int, str]]]) -> None:
    text = "import subprocess\n\nsubprocess.run(\n    [\n        'whisper',\n        'a.mp3',\n    ]\n)\n"
    assert python(text) == [(3, "J5A001")]


def test_python_in_a_shell_script_is_found_on_its_own_line(shell: Callable[[str], list[tuple[int, str]]]) -> None:
    here = 'python - "$1" <<EOF\nimport whisper\n\nmodel = whisper.load_model("$MODEL")\nEOF\n'
    text = here + "python -c \"\nimport whisper\nwhisper.load_model('tiny')\"\n"
    assert shell(text) == [(4, "J5A001"), (8, "J5A001")]
