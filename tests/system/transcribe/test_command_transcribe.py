"""`manage.py transcribe` as a person types it: real gate, lock, engine and speech, its files and its exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.audio_files import damage, encode
from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import SPEECH_DIR, pcm
from tools.demo_model.scoring import word_error_rate
from transcribe.transcript import FORMATS

CLIP = SPEECH_DIR / "clip_10.flac"
# What the bundled demo model must reach here at least; its own tests ask for more.
WORST_WORD_ERROR_RATE = 0.15
SECONDS = 240


def said(clip: Path = CLIP) -> str:
    clips = json.loads((SPEECH_DIR / "clips.json").read_text())["clips"]
    (found,) = [entry for entry in clips if entry["file"] == clip.name]
    return " ".join(utterance["text"] for utterance in found["utterances"])


@dataclass(frozen=True)
class Bench:
    """A data folder of its own, and the command in it."""

    panel: Panel
    out: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return self.panel.manage("transcribe", *map(str, words), f"--output_dir={self.out}", timeout=SECONDS)

    def written(self) -> set[str]:
        return {path.name for path in self.out.iterdir()} if self.out.exists() else set()

    def left(self) -> list[Path]:
        """Files that a refusal must not leave: uploads, and what was being worked on."""
        folders = [self.panel.data_dir / "uploads", self.panel.data_dir / "work"]
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def waits(self) -> bool:
        """Whether the one job is blocked; False while the tables are being made."""
        try:
            return self.jobs() == ["blocked"]
        except sqlite3.OperationalError:
            return False

    def jobs(self) -> list[str]:
        return [row["status"] for row in self.panel.rows("SELECT status FROM transcribe_job ORDER BY id")]


def bench_in(root: Path, **environment: str) -> Bench:
    """The margin is small: tests share a machine, and the gate is real."""
    return Bench(Panel(root, **{"J5A_MARGIN_GIB": "0.5", **environment}), root / "out")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_in(tmp_path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, subprocess.CompletedProcess[str]]:
    """One run over one clip that several tests look at."""
    bench = bench_in(tmp_path_factory.mktemp("done"))
    return bench, bench.run(CLIP, "--model=demo", "--output_format=all", "--language=English")


def test_it_writes_all_five_formats_and_ends_with_0(done: tuple[Bench, subprocess.CompletedProcess[str]]) -> None:
    bench, ended = done
    assert ended.returncode == 0, ended.stderr
    assert bench.written() == {f"clip_10.{name}" for name in FORMATS}
    assert "Traceback" not in ended.stderr


def test_it_writes_what_was_said(done: tuple[Bench, subprocess.CompletedProcess[str]]) -> None:
    text = (done[0].out / "clip_10.txt").read_text()
    assert word_error_rate(said(), text) <= WORST_WORD_ERROR_RATE


def test_the_five_files_say_the_same(done: tuple[Bench, subprocess.CompletedProcess[str]]) -> None:
    files = {name: (done[0].out / f"clip_10.{name}").read_text() for name in FORMATS}
    segments = json.loads(files["json"])["segments"]
    texts = [segment["text"].strip() for segment in segments]
    assert files["txt"].splitlines() == texts
    assert [line.split("\t")[2] for line in files["tsv"].splitlines()[1:]] == texts
    assert files["srt"].count(" --> ") == files["vtt"].count(" --> ") == len(texts) > 0
    assert all(text in files["srt"] and text in files["vtt"] for text in texts)


def test_it_gives_the_lock_and_the_work_folder_back(done: tuple[Bench, subprocess.CompletedProcess[str]]) -> None:
    panel = done[0].panel
    assert panel.lock_path.read_text() == ""
    assert [path for path in (panel.data_dir / "work").rglob("*") if path.is_file()] == []


def test_it_leaves_the_job_for_the_panel(done: tuple[Bench, subprocess.CompletedProcess[str]]) -> None:
    (job,) = done[0].panel.rows("SELECT status, source, model, language FROM transcribe_job")
    assert tuple(job) == ("succeeded", "command", "demo", "en")


def test_it_takes_a_checkpoint_by_its_path_and_passes_options_on(bench: Bench, tmp_path: Path) -> None:
    model = shutil.copy(BASE_DIR / "transcribe" / "demo" / "demo.pt", tmp_path / "my model.pt")
    options = ["--word_timestamps=True", "--beam_size=1", "--temperature=0", "--condition_on_previous_text", "False"]
    ended = bench.run(CLIP, f"--model={model}", "--output_format", "json", *options, "--initial_prompt=gate lock")
    assert ended.returncode == 0, ended.stderr
    assert bench.written() == {"clip_10.json"}
    segments = json.loads((bench.out / "clip_10.json").read_text())["segments"]
    assert all(segment["words"][0]["start"] <= segment["words"][-1]["end"] for segment in segments)
    (job,) = bench.panel.rows("SELECT model, options FROM transcribe_job")
    assert job["model"] == f"file:{tmp_path / 'my model.pt'}"
    assert json.loads(job["options"]) == {
        "word_timestamps": True,
        "beam_size": 1,
        "condition_on_previous_text": False,
        "initial_prompt": "gate lock",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model=base", "--language=yue"], "base does not know Cantonese."),
        (["--model=base.en", "--language=French"], "base.en knows English only."),
        (["--model=turbo", "--task=translate"], "turbo was not trained to translate"),
    ],
)
def test_what_a_model_cannot_do_is_a_usage_error(words: list[str], said: str, bench: Bench) -> None:
    ended = bench.run(CLIP, *words)
    assert (ended.returncode, bench.jobs(), bench.left()) == (2, [], [])
    assert f"transcribe: {said}" in ended.stderr


def test_it_goes_on_after_a_file_that_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    ended = bench.run(tmp_path / "gone.wav", tmp_path / "empty.mp3", CLIP, "-f", "txt", "--model", "demo")
    assert ended.returncode == 1
    assert f"{tmp_path / 'gone.wav'}: No such file or directory. Check the path" in ended.stderr
    assert "empty.mp3: the file is empty (0 bytes). Copy or record it again" in ended.stderr
    assert bench.written() == {"clip_10.txt"}
    assert "Traceback" not in ended.stderr


def test_a_broken_stretch_does_not_end_the_job(bench: Bench, tmp_path: Path) -> None:
    sound = pcm(CLIP).astype(np.float32) / np.float32(32768)
    talk = damage(encode(tmp_path / "talk.mp3", sound, 16000, "libmp3lame", bit_rate=64000), 0.45, 0.1, "zeros")
    ended = bench.run(talk, "--model=demo", "-f=txt")
    assert ended.returncode == 0, ended.stderr
    # A tenth of the words is silence now.
    assert word_error_rate(said(), (bench.out / "talk.txt").read_text()) <= WORST_WORD_ERROR_RATE + 0.2
    assert ended.stderr.count("talk.mp3: note: No sound could be read from ") == 1, ended.stderr
    (job,) = bench.panel.rows("SELECT note FROM transcribe_job")
    assert re.search(r"No sound could be read from \d+\.\d s to \d+\.\d s", job["note"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model=enormous"], "“enormous” is neither a model nor a file. Models: demo, tiny.en, tiny,"),
        (["--model=/nowhere/model.pt"], "“/nowhere/model.pt” is neither a model nor a file"),
        (["--language=klingon"], "does not know the language “klingon”"),
        (["--beam_size=0"], "“beam_size” is '0'; it must be a whole number from 1 to 20"),
        (["--patience=1", "--beam_size=None"], "“patience” needs a beam size"),
        (["--output_format=pdf"], "invalid choice: 'pdf'"),
        (["--clip_timestamps=0,10"], "--clip_timestamps is not taken: a recording is read as a whole: cut the part"),
        (["--threads", "1"], "--threads is not taken: the setting J5A_ENGINE_THREADS says it for every job"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        ([str(CLIP)], "Two files would both be written to clip_10"),
    ],
)
def test_a_usage_error_ends_with_2_before_any_file_is_touched(bench: Bench, words: list[str], says: str) -> None:
    ended = bench.run(CLIP, *words)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bench.written() == set()
    assert bench.left() == []


def test_it_ends_with_75_when_the_gate_says_no_and_it_may_not_wait(tmp_path: Path) -> None:
    bench = bench_in(tmp_path, J5A_MARGIN_GIB="1000")
    ended = bench.run(CLIP, "--model=demo", "--no-wait")
    assert ended.returncode == 75
    assert "\nBlocked by memory: " in ended.stderr
    assert bench.written() == set()
    assert bench.jobs() == []
    assert bench.left() == []
    assert bench.panel.lock_path.read_text() == ""


@pytest.mark.parametrize("act", ["delete", "retry"])
def test_it_ends_when_its_job_is_taken_away_in_the_panel(tmp_path: Path, act: str) -> None:
    bench = bench_in(tmp_path, J5A_MARGIN_GIB="1000", J5A_GATE_RETRY_SECONDS="3600")
    command = [sys.executable, "manage.py", "transcribe", str(CLIP), "--model=demo", f"--output_dir={bench.out}"]
    with subprocess.Popen(
        command, cwd=BASE_DIR, env=bench.panel.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as waiting:
        try:
            database = bench.panel.data_dir / "j5a.sqlite3"
            until(lambda: database.exists() and bench.waits(), seconds=60, what="it waits")
            program = (  # at one moment: the command must not meet the cancelled job in between
                "from django.db import transaction\n"
                "from transcribe.models import Job\n"
                "from transcribe.services import job_cancel, job_delete, job_retry\n"
                "with transaction.atomic():\n"
                f"    job = Job.objects.get(); job_cancel(job, None); job_{act}(job, None)"
            )
            done = bench.panel.manage("shell", "--verbosity=0", "-c", program)
            assert done.returncode == 0, done.stderr
            _, said = waiting.communicate(timeout=30)
        finally:
            waiting.kill()
    assert waiting.returncode == 1
    assert ("its job was deleted in the panel" if act == "delete" else "now runs in the panel") in said
    assert "Traceback" not in said


def test_a_held_lock_is_a_no_of_the_gate(bench: Bench) -> None:
    bench.panel.lock_path.parent.mkdir(mode=0o700)
    bench.panel.lock_path.write_text(f"{os.getpid()}\n")
    ended = bench.run(CLIP, "--model=demo", "--no-wait")
    assert ended.returncode == 75
    assert f"held by PID {os.getpid()}" in ended.stderr
    assert bench.panel.lock_path.read_text() == f"{os.getpid()}\n"


def test_a_model_that_cannot_be_fetched_is_told_with_what_to_do(bench: Bench) -> None:
    # No proxy answers there, so no network is asked.
    closed = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    bench.panel.env.update(closed)
    ended = bench.run(CLIP, "--model=tiny", "--no-wait")
    assert ended.returncode == 1
    target = bench.panel.data_dir / "models" / "tiny.pt"
    assert (
        f"put it at {target} (its SHA-256 must be 65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9)"
        in (ended.stderr)
    )
    assert "Traceback" not in ended.stderr


def test_a_folder_that_cannot_be_written_keeps_the_transcript_in_the_panel(bench: Bench) -> None:
    bench.out.write_text("a file where the folder should be")
    ended = bench.run(CLIP, "--model=demo", "-f=txt")
    assert ended.returncode == 1
    assert "clip_10.flac: the transcript could not be written to" in ended.stderr
    assert "It is kept as job 1 in the panel" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bench.jobs() == ["succeeded"]


def test_a_name_as_long_as_names_can_be_gets_its_transcript(bench: Bench, tmp_path: Path) -> None:
    talk = shutil.copy(CLIP, tmp_path / ("x" * 250 + ".flac"))
    ended = bench.run(talk, "--model=demo", "-f=json")
    assert ended.returncode == 0, ended.stderr
    assert bench.written() == {"x" * 250 + ".json"}


def test_a_database_that_is_none_is_told_in_a_sentence(bench: Bench) -> None:
    bench.panel.data_dir.mkdir(parents=True, exist_ok=True)
    (bench.panel.data_dir / "j5a.sqlite3").write_bytes(b"no database" * 1000)
    ended = bench.run(CLIP, "--model=demo")
    assert ended.returncode == 1
    assert "SQLite says: file is not a database" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_signal_stops_it_and_cancels_the_job(tmp_path: Path) -> None:
    """Ctrl-Z does nothing: a command that stands still could not watch its engine, which has a session of its own."""
    # The gate blocks, so that it waits for as long as the test needs.
    bench = bench_in(tmp_path, J5A_MARGIN_GIB="1000")
    command = [sys.executable, "manage.py", "transcribe", str(CLIP), "--model=demo", f"--output_dir={bench.out}"]
    process = subprocess.Popen(
        command,
        cwd=BASE_DIR,
        env=bench.panel.env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # as a shell starts it; SIGTSTP stops only what has a shell to wake it again
    )
    try:
        assert process.stderr is not None
        until(lambda: "waiting: Blocked" in process.stderr.readline(), seconds=60, what="it waits")  # type: ignore[union-attr]
        process.send_signal(signal.SIGTSTP)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped; job 1 is cancelled" in rest
    assert bench.jobs() == ["cancelled"]
    assert bench.written() == set()
