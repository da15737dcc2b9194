"""The page of a job in each status."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.markup import element, elements, facts, has_id, inside, words
from tests.support.rows import add_chunks, add_text, in_status, queued, running
from transcribe.models import Attempt, Job, JobEvent
from transcribe.resolve import demo_word_count
from transcribe.services import job_cancel
from transcribe.states import ENDED, ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db

NOT_RUNNING = [status for status in JobStatus if status is not JobStatus.RUNNING]


def page(client: Client, job: Job) -> object:
    answer = client.get(f"/jobs/{job.pk}/")
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("status", list(JobStatus))
def test_it_names_the_status(operator: Client, status: JobStatus) -> None:
    answer = page(operator, in_status(status))
    assert element(answer, role="status").words == status.label


@pytest.mark.parametrize("status", [s for s in NOT_RUNNING if s not in {JobStatus.QUEUED, JobStatus.SUCCEEDED}])
def test_it_gives_the_reason(operator: Client, status: JobStatus) -> None:
    assert f"The reason for {status}" in words(page(operator, in_status(status)), "job-live")


def test_a_blocked_job_tells_its_next_try_and_that_it_starts_by_itself(operator: Client) -> None:
    text = words(page(operator, in_status(JobStatus.BLOCKED)), "job-live")
    assert "Next try in " in text
    assert "It starts by itself when the gate says yes." in text


def test_a_next_try_that_is_due_reads_now(operator: Client) -> None:
    job = in_status(JobStatus.BLOCKED)
    Job.objects.update(next_try_at=timezone.now() - timedelta(seconds=5))
    assert "Next try now." in words(page(operator, job), "job-live")


def test_a_waiting_job_tells_its_place(operator: Client) -> None:
    queued()
    in_status(JobStatus.RUNNING)
    assert facts(page(operator, queued()), "job-live")["Place in the queue"] == "2"


def test_an_unstarted_job_shows_no_figures_of_work(operator: Client) -> None:
    shown = facts(page(operator, queued()), "job-live")
    assert set(shown) <= {"Place in the queue", "Waited"}


def test_a_running_job_tells_chunk_position_and_time(operator: Client) -> None:
    job = running(position_seconds=754.0)
    add_chunks(job, ChunkStatus.DONE, ChunkStatus.RUNNING)
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    shown = facts(page(operator, job), "job-live")
    assert shown["Chunk"] == "2 of 2"
    assert shown["Position"] == "12:34 of 20:00"
    assert shown["Elapsed"] == "5 min"
    assert element(page(operator, job), "progress")["value"] == "62"


def test_between_two_chunks_it_counts_those_that_are_done(operator: Client) -> None:
    job = running()
    add_chunks(job, ChunkStatus.DONE, ChunkStatus.PENDING, ChunkStatus.PENDING)
    assert facts(page(operator, job), "job-live")["Chunk"] == "1 of 3 done"


def test_it_shows_what_is_being_read(operator: Client) -> None:
    job = running(live_text="zero one two\n\n  \nthree four", activity="Reading speech")
    Job.objects.update(live_text="zero one two\n\n  \nthree four", activity="Reading speech")
    answer = page(operator, job)
    assert [
        e.words
        for e in inside(answer, "job-live", "p")
        if any(p["class"] == "live" for p in e.parents if "class" in p.attributes)
    ] == [
        "zero one two",
        "three four",
    ]
    assert "Reading speech" in words(answer, "job-live")


def test_a_job_that_is_asked_to_stop_says_so_and_cannot_be_asked_again(operator: Client) -> None:
    job = running()
    assert job_cancel(job, None)
    answer = page(operator, job)
    assert element(answer, role="status").words == "Stopping"
    assert "disabled" in element(answer, id="cancel-job").attributes


def test_an_ended_job_tells_how_long_it_took_and_how_much_was_read(operator: Client) -> None:
    job = in_status(JobStatus.INCOMPLETE)
    add_chunks(job, ChunkStatus.DONE, ChunkStatus.QUARANTINED)
    begun = timezone.now() - timedelta(hours=3)
    Attempt.objects.create(job=job, number=0, started_at=begun, ended_at=begun + timedelta(minutes=4))
    Attempt.objects.filter(number=1).update(started_at=timezone.now() - timedelta(minutes=6), ended_at=timezone.now())
    Job.objects.update(started_at=begun, finished_at=timezone.now())
    shown = facts(page(operator, job), "job-live")
    assert shown["Took"] == "10 min"
    assert shown["Read"] == "50 % of the recording"
    assert shown["Chunk"] == "1 of 2 done"


def test_how_long_it_took_is_not_told_where_the_clock_was_set_back(operator: Client) -> None:
    job = in_status(JobStatus.SUCCEEDED)
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=3))
    assert "Took" not in facts(page(operator, job), "job-live")


def test_time_that_the_gate_held_it_is_accounted_for(operator: Client) -> None:
    job = queued()
    JobEvent.objects.all().delete()
    begin = timezone.now() - timedelta(minutes=30)
    for minutes, status in [(0, "queued"), (5, "blocked"), (19, "queued"), (20, "running")]:
        JobEvent.objects.create(job=job, new=status, at=begin + timedelta(minutes=minutes))
    shown = facts(page(operator, job), "job-live")
    assert (shown["Held by the gate"], shown["Waited"]) == ("14 min", "6 min")


@pytest.mark.parametrize("status", list(JobStatus))
def test_it_asks_for_news_until_the_job_has_ended(operator: Client, status: JobStatus) -> None:
    live = element(page(operator, in_status(status)), id="job-live")
    assert ("hx-get" in live.attributes) is (status not in ENDED)
    assert ("hx-trigger" in live.attributes) is (status not in ENDED)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (JobStatus.QUEUED, "The text appears here, chunk after chunk."),
        (JobStatus.RUNNING, "The text appears here, chunk after chunk."),
        (JobStatus.BLOCKED, "The text appears here, chunk after chunk."),
        (JobStatus.FAILED, "There is no text: the job ended before its first chunk was read."),
        (JobStatus.CANCELLED, "There is no text: the job ended before its first chunk was read."),
        (JobStatus.SUCCEEDED, "No speech was found in this recording."),
    ],
)
def test_without_text_it_tells_why(operator: Client, status: JobStatus, sentence: str) -> None:
    assert words(page(operator, in_status(status)), "job-text") == sentence


@pytest.mark.parametrize("status", list(JobStatus))
def test_text_is_shown_and_can_be_downloaded_in_every_status(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    add_text(job, "zero one", "two three")
    answer = page(operator, job)
    assert [e.words for e in inside(answer, "job-text", "li")] == ["0:00 zero one", "0:02 two three"]
    assert ("text so far" in words(answer, "job-text")) is (status is not JobStatus.SUCCEEDED)
    assert [e.words for e in inside(answer, "job-downloads", "a")] == ["txt", "srt", "vtt", "tsv", "json"]


def test_a_segment_carries_its_times_for_the_player(operator: Client) -> None:
    job = in_status(JobStatus.SUCCEEDED)
    add_text(job, "zero", "one")
    second = inside(page(operator, job), "job-text", "li")[1]
    assert (second["data-start"], second["data-end"]) == ("2.000", "3.500")


def test_without_text_there_is_nothing_to_download(operator: Client) -> None:
    assert inside(page(operator, in_status(JobStatus.FAILED)), "job-downloads", "a") == []


def test_notes_of_the_upload_are_shown(operator: Client) -> None:
    job = queued(note="The file ends early.\nIts header lies.")
    notes = [e.words for e in inside(page(operator, job), "job-about", "p")]
    assert notes == ["The file ends early.", "Its header lies."]


def test_the_demo_model_is_called_a_demo(operator: Client) -> None:
    assert f"(a demo with {demo_word_count()} words)" in facts(page(operator, queued()), "job-about")["Model"]


@pytest.mark.parametrize(
    ("given", "detected", "shown"),
    [("", "", "to be detected"), ("", "en", "English (detected)"), ("de", "", "German"), ("de", "en", "German")],
)
def test_it_names_the_language(operator: Client, given: str, detected: str, shown: str) -> None:
    assert facts(page(operator, queued(language=given, detected_language=detected)), "job-about")["Language"] == shown


def test_only_changed_options_are_shown(operator: Client) -> None:
    job = queued(options={"beam_size": None, "initial_prompt": "zero one", "suppress_tokens": ""})
    shown = facts(page(operator, job), "job-about")
    assert (shown["beam_size"], shown["initial_prompt"], shown["suppress_tokens"]) == ("off", "zero one", "off")
    assert "best_of" not in shown


def test_what_happened_is_told_in_its_order(operator: Client) -> None:
    job = in_status(JobStatus.FAILED)
    assert job.move(JobStatus.QUEUED, "retried by anna")
    labels = [e.words for e in inside(page(operator, job), "job-history", "span")]
    assert labels == ["Queued", "Running", "Failed", "Queued"]


def test_attempts_tell_process_and_memory(operator: Client) -> None:
    job = in_status(JobStatus.FAILED)
    Attempt.objects.update(outcome="engine_lost", engine_pid=4711, peak_bytes=3 * 1024**3, output_tail="Killed")
    text = words(page(operator, job), "job-history")
    assert "Engine ended unexpectedly, process 4711, at most 3.0 GiB of memory" in text
    assert "Killed" in text


@pytest.mark.parametrize(
    ("replayed", "decoded", "told"),
    [(12, 3, "12 windows taken over, 3 decoded"), (1, 0, "1 window taken over"), (0, 1, "1 window decoded")],
)
def test_attempts_tell_their_windows(operator: Client, replayed: int, decoded: int, told: str) -> None:
    job = in_status(JobStatus.FAILED)
    Attempt.objects.update(ended_at=timezone.now(), replayed_windows=replayed, decoded_windows=decoded)
    assert told in words(page(operator, job), "job-history")


def test_a_job_without_its_recording_has_no_player(operator: Client) -> None:
    assert not has_id(page(operator, in_status(JobStatus.SUCCEEDED)), "player")
    assert elements(page(operator, in_status(JobStatus.SUCCEEDED)), "audio") == []


@pytest.mark.parametrize("number", [0, 999_999, 2**63, 10**30])
def test_a_job_that_is_not_there_is_404(operator: Client, number: int) -> None:
    for part in ("", "audio/", "transcript.txt", "delete/"):
        assert operator.get(f"/jobs/{number}/{part}").status_code == 404
    for act in ("cancel", "retry", "delete"):
        assert operator.post(f"/jobs/{number}/{act}/").status_code == 404
