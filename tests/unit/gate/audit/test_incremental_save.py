"""J5A006: hours of results that only memory holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.audit_scripts import GATED, cases

CPP = "whisper-cli -m ggml-base.bin -f"

SHELL_BAD = [
    f"for f in chunks/*; do\n  all+=$({CPP} $f)\ndone\necho \"$all\" > all.txt",
    f"for f in chunks/*; do\n  all=\"$all $({CPP} $f)\"\ndone",
    f"for f in chunks/*; do\n  t=$({CPP} $f)\n  all=\"$all\n$t\"\ndone",
    f"for f in chunks/*; do\n  results+=(\"$({CPP} $f)\")\ndone",
    f"declare -A all\nfor f in chunks/*; do\n  all[$f]=$({CPP} $f)\ndone",
    f"while read -r f; do\n  all+=$({CPP} $f 2>/dev/null)\ndone < list",
    f"say() {{ {CPP} $1; }}\nfor f in chunks/*; do\n  all+=$(say $f)\ndone",
    f"for f in chunks/*; do\n  echo $f >&2\n  all+=$({CPP} $f)\ndone",
    "for ((i = 0; i < 72; i++)); do\n  all+=$(whisper chunk_$i.mp3)\ndone",
]  # fmt: skip

SHELL_GOOD = [
    "for f in chunks/*; do\n  whisper $f\ndone",
    f"for f in chunks/*; do\n  {CPP} $f > $f.txt\ndone",
    f"for f in chunks/*; do\n  {CPP} $f\ndone > all.txt",
    f"for f in chunks/*; do\n  {CPP} $f | tee -a all.txt\ndone",
    f"for f in chunks/*; do\n  all+=$({CPP} $f)\n  echo \"$all\" > all.part\ndone",
    f"for f in chunks/*; do\n  t=$({CPP} $f)\n  echo \"$t\" >> all.txt\n  all+=$t\ndone",
    f"save() {{ echo $1 > part; mv part $2; }}\nfor f in chunks/*; do\n  t=$({CPP} $f)\n  save $t $f\n  all+=$t\ndone",
    "for f in chunks/*; do\n  log+=$(whisper $f --output_dir out)\ndone",
    f"for f in chunks/*; do\n  all+=$({CPP} $f -otxt)\ndone",
    f"all+=$({CPP} one.wav)",
    f"for f in chunks/*; do\n  {CPP} $f -otxt\n  count+=1\n  names+=($f)\ndone",
]  # fmt: skip

HEAD = """
import json, subprocess
from pathlib import Path
import whisper
from gate.services import lock_acquire

held = lock_acquire(model="tiny")
model = whisper.load_model("tiny")
results, texts = [], {}
"""

PYTHON_BAD = cases(
    """
for f in chunks:
    results.append(model.transcribe(f))
---
for f in chunks:
    result = model.transcribe(f)
    results.append(result['text'])
Path('all').write_text(str(results))
---
for f in chunks:
    texts[f] = model.transcribe(f)['text']
json.dump(texts, open('all', 'w'))
---
text = ''
for f in chunks:
    text += model.transcribe(f)['text']
---
i = 0
while i < 72:
    results.extend(model.transcribe(chunk(i))['segments'])
    i += 1
---
for f in chunks:
    segments, info = model.transcribe(f)
    for segment in segments:
        results.append(segment.text)
---
results = [model.transcribe(f) for f in chunks]
---
texts = {f: model.transcribe(f)['text'] for f in chunks}
---
results = list(model.transcribe(f) for f in chunks)
---
text = ' '.join(model.transcribe(f)['text'] for f in chunks)
---
def say(f):
    return model.transcribe(f)['text']
for f in chunks:
    results.append(say(f))
---
def say(model, f):
    return model.transcribe(f)
def go(model):
    return [say(model, f) for f in chunks]
---
for f in chunks:
    results.append(whisper.transcribe(model, f))
---
for f in chunks:
    print('at', f, flush=True)
    results.append(model.transcribe(f))
---
for f in chunks:
    out = subprocess.check_output(['whisper-cli', '-m', 'ggml-base.bin', f])
    results.append(out)
---
for f in chunks:
    done = subprocess.run(['whisper-cli', f], capture_output=True)
    results.append(done.stdout)
---
for f in chunks:
    audio = open(f).read()
    results.append(model.transcribe(audio))
---
from transformers import pipeline
asr = pipeline('automatic-speech-recognition')
for f in chunks:
    results.append(asr(f))
"""
)

PYTHON_GOOD = cases(
    """
for f in chunks:
    result = model.transcribe(f)
    Path(f + '.json').write_text(json.dumps(result))
---
for f in chunks:
    result = model.transcribe(f)
    results.append(result)
    Path(f + '.txt').write_text(result['text'])
---
for f in chunks:
    results.append(model.transcribe(f))
    with open('all.json', 'w') as out:
        json.dump(results, out)
---
with open('all.txt', 'a') as out:
    for f in chunks:
        result = model.transcribe(f)
        results.append(result)
        out.write(result['text'])
---
with open('all.txt', 'a') as out:
    for f in chunks:
        result = model.transcribe(f)
        results.append(result)
        print(result, file=out)
---
def keep(r):
    Path('x').write_text(r['text'])
for f in chunks:
    r = model.transcribe(f)
    keep(r)
    results.append(r)
---
from mine import save_chunk
for f in chunks:
    r = model.transcribe(f)
    save_chunk(r)
    results.append(r)
---
from whisper.utils import get_writer
writer = get_writer('srt', '.')
for f in chunks:
    r = model.transcribe(f)
    writer(r, f)
    results.append(r)
---
def say(f):
    r = model.transcribe(f)
    Path(f + '.txt').write_text(r['text'])
    return r
results = [say(f) for f in chunks]
---
for f in chunks:
    r = model.transcribe(f)
    db.execute('insert', r)
    db.commit()
    results.append(r)
---
def stream():
    for f in chunks:
        r = model.transcribe(f)
        results.append(r)
        yield r
---
for f in chunks:
    print(model.transcribe(f)['text'])
---
result = model.transcribe('one.mp3')
results.append(result)
---
for segment in model.transcribe('one.mp3')['segments']:
    results.append(segment['text'])
---
for f in chunks:
    subprocess.run(['whisper', f, '--output_dir', 'out'])
    results.append(f)
---
for f in chunks:
    done = subprocess.run(['whisper', f, '--output_dir', 'out'], capture_output=True)
    results.append(done)
---
for f in chunks:
    results.append(Path(f).stat())
---
for r in (model.transcribe(f) for f in chunks):
    Path('x').write_text(r['text'])
---
for f in chunks:
    model.transcribe(f)
    results.append(f)
"""
)


@pytest.mark.parametrize("text", SHELL_BAD)
def test_it_finds_results_in_a_variable_only(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(GATED + text + "\n") == {"J5A006"}


@pytest.mark.parametrize("text", SHELL_GOOD)
def test_it_accepts_a_loop_in_shell_that_writes(text: str, shell_rules: Callable[[str], set[str]]) -> None:
    assert shell_rules(GATED + text + "\n") == set()


@pytest.mark.parametrize("text", PYTHON_BAD)
def test_it_finds_results_in_memory_only(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == {"J5A006"}


@pytest.mark.parametrize("text", PYTHON_GOOD)
def test_it_accepts_a_loop_in_python_that_writes(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + text + "\n") == set()


def test_it_names_the_line_where_results_are_put_together(python: Callable[[str], list[tuple[int, str]]]) -> None:
    text = "\nfor f in chunks:\n    r = model.transcribe(f)\n    r = r['text']\n    results.append(r)\n"
    assert python(HEAD + text) == [(HEAD.count("\n") + 5, "J5A006")]
