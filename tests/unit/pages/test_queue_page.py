"""The queue's page: what it shows, and what each button does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements, has_id, inside, messages, words
from tests.support.rows import add_chunks, in_status, queued, running
from transcribe.models import Chunk, Job, QueueChange
from transcribe.schedule import Opening
from transcribe.selectors import waiting_jobs
from transcribe.services import hours_set
from transcribe.states import ChunkStatus, JobStatus

pytestmark = pytest.mark.django_db


def act(client: Client, address: str, **values: str) -> Any:
    return client.post(address, values, follow=True)


def close() -> None:
    today = datetime.now(UTC).weekday()
    hours_set([Opening((today + 3) % 7, 1320, 360)], "UTC", who="anna")


def order() -> list[str]:
    return list(waiting_jobs().values_list("title", flat=True))


def shown(answer: Any) -> list[str]:
    return [e.words for e in elements(answer, "a", class_="job-link")]


def test_the_buttons_move_a_job(operator: Client) -> None:
    a, _, c = (queued(title=title) for title in "abc")
    answer = act(operator, f"/jobs/{c.pk}/place/", place="up", **{"from": "queue"})
    assert answer.redirect_chain == [(f"/jobs/queue/#entry-{c.pk}", 302)]
    assert order() == shown(answer) == ["a", "c", "b"]
    act(operator, f"/jobs/{a.pk}/place/", place="down")
    assert order() == ["c", "a", "b"]
    act(operator, f"/jobs/{a.pk}/place/", place="first")
    assert order() == ["a", "c", "b"]
    answer = act(operator, f"/jobs/{a.pk}/place/", place="up")
    assert messages(answer) == ["“a” cannot move further among the waiting jobs of its priority."]
    assert operator.post(f"/jobs/{a.pk}/place/", {"place": "sideways"}).status_code == 404


def test_a_priority_is_set_and_shown(operator: Client) -> None:
    _, b = queued(title="a"), queued(title="b")
    answer = act(operator, f"/jobs/{b.pk}/priority/", priority="1", **{"from": "queue"})
    assert messages(answer) == ["“b” has high priority now."]
    assert order() == ["b", "a"]
    assert "High priority" in words(answer, f"entry-{b.pk}")
    assert not has_id(answer, f"high-{b.pk}")
    assert "high priority" in words(operator.get("/jobs/"), "job-list")
    assert operator.post(f"/jobs/{b.pk}/priority/", {"priority": "7"}).status_code == 404


def test_a_job_is_held_and_released(operator: Client) -> None:
    job = queued()
    answer = act(operator, f"/jobs/{job.pk}/hold/", **{"from": "queue"})
    assert messages(answer) == ["“Talk” is held. It waits until somebody releases it."]
    assert "Held by operator" in words(answer, f"entry-{job.pk}")
    answer = act(operator, f"/jobs/{job.pk}/release/", **{"from": "queue"})
    assert messages(answer) == ["“Talk” is released and waits for its turn."]
    answer = act(operator, f"/jobs/{job.pk}/release/")
    assert messages(answer) == ["There is nothing to release: “Talk” is queued."]
    assert [e.words for e in inside(answer, "job-history", "li")][1].endswith("Held by operator")


def test_a_running_job_is_held_when_its_process_is_gone(operator: Client) -> None:
    job = running()
    answer = act(operator, f"/jobs/{job.pk}/hold/")
    text = "Stopping. The job counts as held once its process is gone; what it has read is kept."
    assert messages(answer) == [text]
    assert Job.objects.get().status == JobStatus.RUNNING
    assert "Stopping" in words(answer, "job-live")
    assert not has_id(answer, "hold-job")


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        (JobStatus.QUEUED, {"hold-job"}),
        (JobStatus.BLOCKED, {"hold-job"}),
        (JobStatus.RUNNING, {"hold-job"}),
        (JobStatus.PAUSED, {"release-job"}),
        (JobStatus.FAILED, set()),
    ],
)
def test_the_job_page_offers_what_fits(operator: Client, status: JobStatus, buttons: set[str]) -> None:
    answer = operator.get(f"/jobs/{in_status(status).pk}/")
    assert {name for name in ("hold-job", "release-job", "run-now-job") if has_id(answer, name)} == buttons


def test_outside_the_hours_every_page_says_when_it_goes_on(operator: Client) -> None:
    job = queued()
    close()
    for address in ("/", "/jobs/", "/jobs/queue/", f"/jobs/{job.pk}/"):
        assert "Waits for the night shift: goes on on" not in words(operator.get(address))
        assert "Waits for the night shift: goes on" in words(operator.get(address)), address
    assert words(operator.get("/"), "state-title") == "Outside the hours"
    assert "Closed now. Opens" in words(operator.get("/"), "dashboard")


def test_now_anyway_is_offered_outside_the_hours_and_taken(operator: Client) -> None:
    job = queued()
    assert not has_id(operator.get("/jobs/queue/"), f"now-{job.pk}")
    close()
    assert has_id(operator.get("/jobs/queue/"), f"now-{job.pk}")
    answer = act(operator, f"/jobs/{job.pk}/now/")
    assert messages(answer) == ["“Talk” may run outside the hours. It starts when the gate says yes."]
    assert not has_id(answer, "run-now-job")
    assert "asked for by operator" in words(answer, "job-history")
    assert "Waits for the night shift" not in words(answer, "job-live")


def test_now_anyway_says_what_a_paused_queue_waits_for(operator: Client) -> None:
    job = queued()
    close()
    act(operator, "/jobs/queue/pause/", when="after")
    said = "“Talk” may run outside the hours. It starts when somebody has let the queue go on and the gate says yes."
    assert messages(act(operator, f"/jobs/{job.pk}/now/")) == [said]


def test_the_queue_is_paused_and_goes_on(operator: Client) -> None:
    job = queued()
    answer = act(operator, "/jobs/queue/pause/", when="after", why="A concert")
    assert messages(answer) == ["The queue is paused. A running job is let finish; no other one starts."]
    for address in ("/jobs/queue/", "/"):
        assert "The queue is paused by operator (A concert)." in words(operator.get(address), "queue-paused")
    assert words(operator.get("/"), "state-title") == "Queue paused"
    assert "paused by operator" in words(operator.get(f"/jobs/{job.pk}/"), "job-live")
    answer = act(operator, "/jobs/queue/pause/", when="now")
    assert messages(answer) == ["The queue is paused. A running job ends now and waits; what it has read is kept."]
    answer = act(operator, "/jobs/queue/pause/", when="now")
    assert messages(answer) == ["The queue is paused already."]
    answer = act(operator, "/jobs/queue/resume/")
    assert messages(answer) == ["The queue goes on."]
    assert not has_id(answer, "queue-paused")
    assert QueueChange.objects.count() == 3
    assert messages(act(operator, "/jobs/queue/resume/")) == ["The queue is not paused."]


@pytest.mark.parametrize("values", [{}, {"when": "later"}, {"when": "now", "why": "x" * 201}])
def test_a_pause_that_makes_no_sense_is_refused(operator: Client, values: dict[str, str]) -> None:
    answer = act(operator, "/jobs/queue/pause/", **values)
    assert len(messages(answer)) == 1
    assert not has_id(answer, "queue-paused")


def test_a_chunk_that_was_set_aside_has_a_button_of_its_own(operator: Client) -> None:
    job = in_status(JobStatus.INCOMPLETE)
    add_chunks(job, ChunkStatus.DONE, ChunkStatus.QUARANTINED, ChunkStatus.QUARANTINED)
    Chunk.objects.filter(index=1).update(error="The engine was killed by signal 9.")
    page = operator.get(f"/jobs/{job.pk}/")
    assert element(page, id="chunk-again-2").words == "Try this chunk again"
    assert has_id(page, "chunk-again-3")
    assert not has_id(page, "chunk-again-1")
    assert "Chunk 2, 10:00 to 20:00: The engine was killed by signal 9." in words(page, "job-live")
    answer = act(operator, f"/jobs/{job.pk}/chunks/1/again/")
    assert messages(answer) == ["Chunk 2 is tried again; all other chunks stay as they are."]
    assert list(Chunk.objects.values_list("status", flat=True)) == ["done", "pending", "quarantined"]
    assert len(messages(act(operator, f"/jobs/{job.pk}/chunks/2/again/"))) == 1
    assert operator.post(f"/jobs/{job.pk}/chunks/9/again/").status_code == 404
