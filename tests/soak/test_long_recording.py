"""Twenty minutes: the words that were spoken, at their times to the end, and none lost at a cut."""

from __future__ import annotations

import pytest

from tests.support.panel import Panel
from tests.support.speech_files import Recording, joined
from tools.demo_model.scoring import Span, percentile, time_errors, word_error_rate

SAMPLE_RATE = 16_000
NEAR_CUT_SECONDS = 30.0


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return joined(tmp_path_factory.mktemp("speech") / "twenty.wav", minutes=20)


@pytest.fixture(scope="module")
def job_id(panel: Panel, spoken: Recording) -> int:
    number = panel.submit(spoken.path)
    panel.wait_for_job(number, "succeeded", seconds=400)
    return number


def segments(panel: Panel, job_id: int) -> list[Span]:
    rows = panel.rows("SELECT * FROM transcribe_segment WHERE job_id = ? ORDER BY start_seconds", job_id)
    return [Span(row["start_seconds"], row["end_seconds"], row["text"]) for row in rows]


def test_the_words_are_those_spoken(panel: Panel, spoken: Recording, job_id: int) -> None:
    assert word_error_rate(spoken.text, panel.text(job_id)) <= 0.05


def test_the_gate_was_asked_again_before_each_chunk(panel: Panel, job_id: int) -> None:
    query = "SELECT purpose, admitted, repeats FROM gate_verdictrecord WHERE job_ref = ? ORDER BY id"
    assert [tuple(row) for row in panel.rows(query, str(job_id))] == [("start", 1, 0), ("chunk", 1, 1)]


def test_the_chunks_tile_it(panel: Panel, spoken: Recording, job_id: int) -> None:
    rows = panel.rows('SELECT * FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"', job_id)
    bounds = [(row["start_sample"], row["end_sample"]) for row in rows]
    assert len(bounds) == 2
    assert bounds[0][0] == 0
    assert bounds[0][1] == bounds[1][0]
    assert bounds[1][1] == round(spoken.duration_seconds * SAMPLE_RATE)


def test_its_times_stay_true_to_the_end(panel: Panel, spoken: Recording, job_id: int) -> None:
    truth = [Span(u.start_seconds, u.end_seconds) for u in spoken.utterances]
    for part in (truth, truth[-40:]):
        found = time_errors(part, segments(panel, job_id))
        assert percentile(found.all, 0.98) <= 0.3
        assert found.missed <= len(part) * 0.01


def test_no_word_is_lost_at_the_cut(panel: Panel, spoken: Recording, job_id: int) -> None:
    (first, _) = panel.rows('SELECT * FROM transcribe_chunk WHERE job_id = ? ORDER BY "index"', job_id)
    cut = first["end_sample"] / SAMPLE_RATE
    near = [u for u in spoken.utterances if abs(u.start_seconds - cut) < NEAR_CUT_SECONDS]
    assert all(not u.start_seconds < cut < u.end_seconds for u in near), "the cut goes through an utterance"
    begin, end = near[0].start_seconds - 0.3, near[-1].end_seconds + 0.3
    heard = " ".join(s.text for s in segments(panel, job_id) if begin <= s.start and s.end <= end)
    assert word_error_rate(" ".join(u.text for u in near), heard) <= 0.05
