"""The 2012 Mac Mini's processor (AVX, no AVX2, no FMA), emulated: all that is installed loads, and speech is read."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.machines import may_skip
from tests.support.panel import BASE_DIR
from tests.support.speech_files import DEMO_DIR, SAMPLE_RATE, SPEECH_DIR, pcm
from transcribe.engine.protocol import Failed, Load, Loaded, Message, Transcribe, Transcribed, decode, encode

EMULATED_PYTHON = ["qemu-x86_64", "-cpu", "IvyBridge", sys.executable]
# 15 and 63 s while two cores had other work to do; one that stands still must not hold up the suite for long.
LIMIT_SECONDS = 600
CLIP = SPEECH_DIR / "clip_00.flac"
GPU_PACKAGES = ("cuda", "nvidia", "triton")
HEARD_SECONDS = 3.4  # in the pause after the clip's first utterance

# Prints what torch thinks of the processor, the modules that were imported, and how many samples PyAV decoded.
PROGRAM = """
import importlib, json, sys
from pathlib import Path
clip, *names = sys.argv[1:]
loaded = [importlib.import_module(name).__name__ for name in names]
import torch
from tests.support.speech_files import pcm
print(json.dumps([torch.backends.cpu.get_cpu_capability(), loaded, len(pcm(Path(clip)))]))
"""

pytestmark = pytest.mark.timeout(LIMIT_SECONDS + 60)


@pytest.fixture(autouse=True)
def _emulator() -> None:
    """Where it cannot run the tests are skipped; in CI nothing may be."""
    reason = None
    if platform.machine() != "x86_64":
        reason = f"this machine's processor is {platform.machine()}: an x86_64 program does not run on it"
    elif shutil.which(EMULATED_PYTHON[0]) is None:
        reason = "qemu-x86_64 is not installed (on Debian: apt install qemu-user)"
    if reason is not None:
        may_skip(reason)


def test_every_compiled_dependency_loads() -> None:
    names = sorted(compiled_modules())
    assert {"av", "llvmlite", "numba", "numpy", "psutil", "regex", "tiktoken", "torch"} <= set(names)
    done = subprocess.run(
        [*EMULATED_PYTHON, "-c", PROGRAM, str(CLIP), *names],
        cwd=BASE_DIR,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    capability, loaded, samples = json.loads(done.stdout)
    assert capability == "DEFAULT", "the emulated processor has AVX2, so this test shows nothing"
    assert loaded == names
    assert samples == len(pcm(CLIP))


def test_the_engine_reads_real_speech_with_the_times_of_words(tmp_path: Path) -> None:
    recording = tmp_path / "clip.pcm"
    recording.write_bytes(pcm(CLIP).astype("<i2").tobytes())
    with engine(tmp_path / "engine.log") as ask:
        loaded = ask(Load(path=str(DEMO_DIR / "demo.pt"), name="", threads=1))
        assert isinstance(loaded, Loaded), loaded
        heard = ask(
            Transcribe(
                pcm_path=str(recording),
                start_sample=0,
                end_sample=int(HEARD_SECONDS * SAMPLE_RATE),
                language="en",
                options={"word_timestamps": True},  # aligned by a function that numba compiles for this processor
                temperatures=[0.0],
            )
        )
    assert isinstance(heard, Transcribed), heard
    assert " ".join(segment["text"].strip() for segment in heard.segments) == first_utterance()
    words = [word["word"].strip() for segment in heard.segments for word in segment["words"]]
    assert " ".join(words) == first_utterance()


def first_utterance() -> str:
    clips = json.loads((SPEECH_DIR / "clips.json").read_text())["clips"]
    (clip,) = [clip for clip in clips if clip["file"] == CLIP.name]
    return str(clip["utterances"][0]["text"])


@contextlib.contextmanager
def engine(log_path: Path) -> Iterator[Callable[[Message], Message]]:
    """A running engine; call what is given with a request for its last answer."""
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*EMULATED_PYTHON, "-m", "transcribe.engine", str(os.getpid())],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.start()
    assert process.stdin is not None
    assert process.stdout is not None
    answers = map(decode, process.stdout)

    def ask(request: Message) -> Message:
        assert process.stdin is not None
        process.stdin.write(encode(request))
        process.stdin.flush()
        for answer in answers:
            if isinstance(answer, Loaded | Transcribed | Failed):
                return answer
        raise AssertionError(f"the engine ended ({process.wait()}):\n{log_path.read_text(errors='replace')[-3000:]}")

    try:
        yield ask
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def compiled_modules() -> set[str]:
    """Modules of requirements.txt's packages, and of all that those need, which come with machine code.

    Not those for a GPU, which the larger build of torch brings: they are no modules, and nothing here loads them.
    """
    lines = (BASE_DIR / "requirements.txt").read_text().splitlines()
    waiting = [line.partition("==")[0] for line in lines if re.match(r"\w", line)]
    seen: set[str] = set()
    compiled: set[str] = set()
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in seen or name.startswith(GPU_PACKAGES):
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        if any(re.search(r"\.so(\.|$)", file.name) for file in distribution.files or []):
            compiled.add(name.replace("-", "_"))
        needs = map(Requirement, distribution.requires or [])
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return compiled
