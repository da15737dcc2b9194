"""The yardstick: `python -m bench.bare MODEL FILE OUT_JSON --threads N`, whisper as its own command line runs it.

One process: import, load the model, transcribe the file. No chunks, no database, no gate. Its life from start to
end is the time that a job is compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

# whisper/transcribe.py, cli(): the defaults of `whisper FILE`.
DEFAULTS: dict[str, Any] = {
    "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "beam_size": 5,
    "best_of": 5,
    "compression_ratio_threshold": 2.4,
    "logprob_threshold": -1.0,
    "no_speech_threshold": 0.6,
    "condition_on_previous_text": True,
    "fp16": False,  # there is no half precision on a CPU: whisper would warn and fall back to this
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.bare")
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--nice", type=int, default=0)
    arguments = parser.parse_args()
    os.nice(arguments.nice)
    begun = time.monotonic()
    import torch
    import whisper

    torch.set_num_threads(arguments.threads)
    warnings.simplefilter("ignore")
    # j5a: allow J5A001 because a bare process is what the bench compares a job with; a person starts it
    model = whisper.load_model(str(arguments.model), device="cpu")
    loaded = time.monotonic()
    decoder = "ffmpeg" if shutil.which("ffmpeg") else "PyAV"
    audio = str(arguments.file) if decoder == "ffmpeg" else _decoded(arguments.file)
    result = whisper.transcribe(model, audio, **DEFAULTS)
    answer = {
        "decoder": decoder,
        "load_seconds": loaded - begun,
        "text": result["text"],
        "segments": [[segment["start"], segment["end"], segment["text"]] for segment in result["segments"]],
    }
    arguments.out.write_text(json.dumps(answer), encoding="utf-8")


def _decoded(path: Path) -> Any:
    """float32 samples at 16 kHz, for a machine without the ffmpeg program that whisper calls."""
    import numpy as np

    from tests.support.speech_files import pcm

    return pcm(path).astype(np.float32) / 32768.0


if __name__ == "__main__":
    main()
