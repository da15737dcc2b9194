"""What is wrong with a recording is said by the command, too: on standard error, each note once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import cut_off, encode
from tests.support.panel import Panel
from tests.support.speech_files import SPEECH_DIR, pcm


@pytest.mark.parametrize("name", ["half.m4a", "half.mp3"])
def test_it_says_that_half_of_a_download_is_missing(name: str, tmp_path: Path) -> None:
    sound = pcm(SPEECH_DIR / "clip_00.flac").astype(np.float32) / np.float32(32768)
    codec = "aac" if name.endswith("m4a") else "libmp3lame"
    half = cut_off(encode(tmp_path / name, sound, 16000, codec, options={"movflags": "faststart"}), 0.5)
    panel = Panel(tmp_path, J5A_MARGIN_GIB="0.5")
    ended = panel.manage("transcribe", str(half), "--model=demo", f"--output_dir={tmp_path / 'out'}", timeout=240)
    assert ended.returncode == 0, ended.stderr
    (job,) = panel.rows("SELECT note FROM transcribe_job")
    said = [line for line in ended.stderr.splitlines() if line.startswith(f"{name}: note: ")]
    assert said == [f"{name}: note: {line}" for line in job["note"].splitlines()]
    stated = re.search(r"The header says ([\d.]+) s", said[0])
    assert stated, said
    assert float(stated[1]) == pytest.approx(len(sound) / 16000, abs=0.1), "what should be there"
