"""A job through the running panel against a bare process on the same file, in turns; and what was understood."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.report import Row, Section
from bench.upload import upload, wait_for_end
from tests.support.panel import BASE_DIR, Panel, until
from tests.support.speech_files import DEMO_DIR, Recording
from tools.demo_model.scoring import Span, percentile, time_errors, word_error_rate

# The goal: at most this much more than the bare process.
EXTRA_SECONDS, EXTRA_SHARE = 2.0, 0.05
WER_LIMIT, TIME_LIMIT_SECONDS = 0.05, 0.3
RUN_LIMIT_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A transcript."""

    text: str
    segments: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One job or one bare process. `phases`: where the job's time went, in seconds. `peak_bytes`: its engine's."""

    seconds: float
    heard: Heard
    decoder: str = ""
    phases: tuple[tuple[str, float], ...] = ()
    peak_bytes: int = 0


@dataclass(frozen=True)
class Comparison:
    """Runs of both kinds on one recording, taken in turns."""

    recording: Recording
    jobs: tuple[Run, ...]
    bare: tuple[Run, ...]


def compare(panel: Panel, recording: Recording, folder: Path, *, runs: int, threads: int, nice: int) -> Comparison:
    jobs, bare = [], []
    for number in range(runs):
        jobs.append(run_job(panel, recording.path))
        bare.append(run_bare(recording.path, folder, threads=threads, nice=nice))
        print(
            f"  {recording.path.name}, round {number + 1}: job {jobs[-1].seconds:.2f} s, bare {bare[-1].seconds:.2f} s",
            flush=True,
        )
    return Comparison(recording, tuple(jobs), tuple(bare))


def run_job(panel: Panel, path: Path) -> Run:
    """Upload, wait; the clock runs from the first byte sent to the moment the job is seen done."""
    until(lambda: not panel.engines(), seconds=60, what="the engine of the last job has ended")
    begun = time.monotonic()
    job_id = upload(panel, path)
    uploaded = time.monotonic()
    ended = wait_for_end(panel, job_id, seconds=RUN_LIMIT_SECONDS)
    phases = (("upload and check", uploaded - begun), *_phases(panel, job_id))
    (attempt,) = panel.rows("SELECT peak_bytes FROM transcribe_attempt WHERE job_id = ?", job_id)
    return Run(seconds=ended - begun, heard=_heard(panel, job_id), phases=phases, peak_bytes=attempt["peak_bytes"])


def run_bare(path: Path, folder: Path, *, threads: int, nice: int) -> Run:
    out = folder / "bare.json"
    command = [sys.executable, "-m", "bench.bare", str(DEMO_DIR / "demo.pt"), str(path), str(out)]
    begun = time.monotonic()
    subprocess.run([*command, f"--threads={threads}", f"--nice={nice}"], cwd=BASE_DIR, check=True)
    seconds = time.monotonic() - begun
    answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    segments = tuple(Span(start, end, text) for start, end, text in answer["segments"])
    return Run(seconds=seconds, heard=Heard(text=answer["text"], segments=segments), decoder=answer["decoder"])


def _phases(panel: Panel, job_id: int) -> list[tuple[str, float]]:
    job = panel.job(job_id)
    chunks = panel.rows("SELECT * FROM transcribe_chunk WHERE job_id = ? ORDER BY id", job_id)
    created, started, ended = (_at(job[name]) for name in ("created_at", "started_at", "finished_at"))
    reading = sum(_at(chunk["finished_at"]) - _at(chunk["started_at"]) for chunk in chunks)
    first = _at(chunks[0]["started_at"])
    between = ended - first - reading
    return [
        ("wake-up", started - created),
        ("gate, engine, model, decoding", first - started),
        (f"reading ({len(chunks)} chunk{'s' if len(chunks) > 1 else ''})", reading),
        ("between and after the chunks", between),
    ]


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _heard(panel: Panel, job_id: int) -> Heard:
    rows = panel.rows(
        "SELECT s.* FROM transcribe_segment s JOIN transcribe_chunk c ON c.id = s.chunk_id"
        ' WHERE s.job_id = ? ORDER BY c."index", s."index"',
        job_id,
    )
    segments = tuple(Span(row["start_seconds"], row["end_seconds"], row["text"]) for row in rows)
    return Heard(text=" ".join(segment.text for segment in segments), segments=segments)


# ── What is told ─────────────────────────────────────────────────────────────────────────────────
def time_section(comparisons: list[Comparison], *, threads: int, nice: int) -> Section:
    rows = [row for comparison in comparisons for row in _time_rows(comparison)]
    decoder = comparisons[0].bare[0].decoder
    runs = len(comparisons[0].jobs)
    return Section(
        title="A job against a bare process",
        how=(
            "A job: from the first byte of the upload to “succeeded”, through the running panel with gate, lock, "
            "database and engine process. Bare: one process from start to exit that does `whisper.load_model` and "
            "`whisper.transcribe` with the command line’s defaults (beam 5, best of 5, temperature fallback). "
            f"Both on the demo model with {threads} thread{'s' if threads > 1 else ''}, in turns (job, bare, job, "
            f"bare …), {runs} round{'s' if runs > 1 else ''}; medians, with the fastest and slowest in brackets."
        ),
        rows=rows,
        notes=(
            f"The bare process decodes with {decoder}.",
            f"The engine runs at nice 10, the bare process at nice {nice}: where other programs keep the processors "
            "busy, the job gives way to them and the bare process does not.",
            "The engine’s threads spin for tens of microseconds while they wait for each other, then sleep; "
            "those of the bare process spin for long (`transcribe/supervisor.py` says why, and at what price).",
            *(_phase_note(comparison) for comparison in comparisons),
        ),
    )


def _time_rows(comparison: Comparison) -> list[Row]:
    name = _name(comparison.recording)
    job = [run.seconds for run in comparison.jobs]
    bare = [run.seconds for run in comparison.bare]
    limit = statistics.median(bare) * (1 + EXTRA_SHARE) + EXTRA_SECONDS
    middle = statistics.median(job)
    ratio = middle / statistics.median(bare)
    return [
        Row(what=f"{name}, bare process", measured=_spread(bare)),
        Row(
            what=f"{name}, job",
            measured=f"{_spread(job)}, {ratio:.2f} × bare",
            goal=f"≤ bare + 2 s + 5 % = {limit:.2f} s",
            met=middle <= limit,
        ),
    ]


def accuracy_section(comparison: Comparison) -> Section:
    """The worst of all runs counts."""
    name = _name(comparison.recording)
    truth = [Span(u.start_seconds, u.end_seconds, u.text) for u in comparison.recording.utterances]
    job_rates = [word_error_rate(comparison.recording.text, run.heard.text) for run in comparison.jobs]
    bare_rates = [word_error_rate(comparison.recording.text, run.heard.text) for run in comparison.bare]
    errors = [time_errors(truth, run.heard.segments) for run in comparison.jobs]
    largest = max(percentile(error.all, 1.0) for error in errors)
    p95 = max(percentile(error.all, 0.95) for error in errors)
    missed = max(error.missed for error in errors)
    rows = [
        Row(
            what="word error rate, job",
            measured=_percent(max(job_rates)),
            goal="≤ 5 %",
            met=max(job_rates) <= WER_LIMIT,
        ),
        Row(
            what="segment times, largest error",
            measured=f"{largest:.2f} s",
            goal="≤ 0.3 s",
            met=largest <= TIME_LIMIT_SECONDS,
        ),
        Row(what="segment times, 95 % are within", measured=f"{p95:.2f} s"),
        Row(what="utterances without a segment", measured=f"{missed} of {len(truth)}", goal="0", met=missed == 0),
    ]
    if bare_rates:
        rows.append(Row(what="word error rate, bare process without chunks", measured=_percent(max(bare_rates))))
    return Section(
        title=f"What was understood: {name}",
        how=(
            "The words and times that were spoken are known (tests/speech/clips.json). Each spoken utterance is "
            "compared with the segment that overlaps it most, at its start and at its end. The worst of all runs."
        ),
        rows=rows,
    )


def _phase_note(comparison: Comparison) -> str:
    names = [name for name, _ in comparison.jobs[0].phases]
    middles = [statistics.median(run.phases[index][1] for run in comparison.jobs) for index in range(len(names))]
    parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in zip(names, middles, strict=True))
    peak = max(run.peak_bytes for run in comparison.jobs) / 1_000_000
    return (
        f"A job on {_name(comparison.recording)}, where its time goes (medians): {parts}. Engine’s peak: {peak:.0f} MB."
    )


def _name(recording: Recording) -> str:
    seconds = recording.duration_seconds
    return (
        f"{recording.path.name} ({seconds / 60:.1f} min)"
        if seconds > 120
        else f"{recording.path.name} ({seconds:.0f} s)"
    )


def _spread(values: list[float]) -> str:
    middle = statistics.median(values)
    return f"{middle:.2f} s ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else f"{middle:.2f} s"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
