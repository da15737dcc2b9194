"""The language that a model of many languages detects is taken over as well; one that it does not know is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.engines import GREEDY, LIMIT_SECONDS, request_for, running_engine
from tests.support.panel import BASE_DIR
from tests.support.speech_files import SPEECH_DIR, pcm
from transcribe.engine.journal import read_records

# Writes a model of random weights that knows all languages: what it says is nonsense, but it is asked for a language.
PROGRAM = """
import sys, torch
from whisper.model import ModelDimensions, Whisper
torch.manual_seed(1)
dims = ModelDimensions(n_mels=80, n_audio_ctx=1500, n_audio_state=8, n_audio_head=1, n_audio_layer=1, n_vocab=51865,
                       n_text_ctx=24, n_text_state=8, n_text_head=1, n_text_layer=2)
model = Whisper(dims)
for weights in model.parameters():
    torch.nn.init.normal_(weights, std=0.5)
torch.save({"dims": vars(dims), "model_state_dict": model.state_dict()}, sys.argv[1])
"""
NO_LIMITS = {"no_speech_threshold": None, "compression_ratio_threshold": None, "logprob_threshold": None}


def test_it_is_detected_once(tmp_path: Path) -> None:
    model, recording, journal = tmp_path / "many.pt", tmp_path / "audio.pcm", tmp_path / "chunk-0.journal"
    command = [sys.executable, "-c", PROGRAM, str(model)]
    subprocess.run(command, cwd=BASE_DIR, stdin=subprocess.DEVNULL, check=True, timeout=LIMIT_SECONDS)
    recording.write_bytes(pcm(SPEECH_DIR / "clip_00.flac").astype("<i2").tobytes())
    request = request_for(
        recording, language=None, options={**GREEDY, **NO_LIMITS}, journal_path=str(journal), provenance="a"
    )
    with running_engine(tmp_path / "engine.log", model=model) as engine:
        first = engine.transcribe(request)
        data = journal.read_bytes()
        second = engine.transcribe(request)
    assert (second.language, second.segments) == (first.language, first.segments)
    assert (second.replayed_windows, second.decoded_windows) == (first.decoded_windows, 0)
    assert journal.read_bytes() == data  # nothing was asked a second time, the language neither
    records, _ = read_records(data)
    assert len(records) == 1 + 1 + first.decoded_windows


def test_a_language_that_is_not_known_is_refused_in_plain_words(tmp_path: Path) -> None:
    recording = tmp_path / "audio.pcm"
    recording.write_bytes(bytes(32_000))
    with running_engine(tmp_path / "engine.log") as engine:
        said = [engine.refusal(request_for(recording, language="yue"))]
        said.append(engine.refusal(request_for(recording, options={**GREEDY, "task": "translate"})))
    assert [answer.permanent for answer in said] == [True, True]
    assert said[0].message.startswith("This model does not know Cantonese.")
    assert said[1].message.startswith("This model knows English only and cannot translate.")
