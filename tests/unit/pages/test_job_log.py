"""The log on a job's page: the last lines when it is opened, then only what is new, until the job has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support.markup import element, elements
from tests.support.people import client_of
from tests.support.rows import EVIL, in_status, running
from transcribe.models import Attempt, Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def logs(settings: Settings, tmp_path: Path) -> Path:
    settings.LOG_DIR = tmp_path / "logs"
    settings.LOG_DIR.mkdir()
    return tmp_path / "logs"


def log(logs: Path, job: Job, text: str, attempt: int = 1, *, named: bool = True) -> Path:
    path = logs / f"engine-20260101-12000{attempt}-job-{job.pk}-attempt-{attempt}.log"
    with path.open("a") as file:
        file.write(text)
    if named:
        Attempt.objects.filter(job=job, number=attempt).update(log_name=path.name)
    return path


def shown(answer: Any) -> list[str]:
    return [e.words for e in elements(answer, "pre")]


def more(answer: Any) -> str | None:
    found = elements(answer, "p", class_="log-more")
    return found[0]["hx-get"] if found else None


def test_the_page_fetches_it_only_when_it_is_opened(operator: Client, logs: Path) -> None:
    job = running()
    log(logs, job, "loading\n")
    answer = operator.get(f"/jobs/{job.pk}/")
    details = element(answer, "details", id="log-live")
    assert (details["hx-get"], details["hx-trigger"]) == (f"/jobs/{job.pk}/log/", "toggle once")
    assert "open" not in details.attributes
    assert "loading" not in answer.content.decode()


@pytest.mark.parametrize("named", [True, False])
def test_only_new_lines_travel(operator: Client, logs: Path, named: bool) -> None:
    job = running()
    log(logs, job, "one\ntwo\n", named=named)
    answer = operator.get(f"/jobs/{job.pk}/log/")
    assert shown(answer) == ["one two"]
    log(logs, job, "three\nfo", named=named)
    answer = operator.get(more(answer))
    assert shown(answer) == ["three"]
    answer = operator.get(more(answer))
    assert shown(answer) == []
    assert more(answer) == f"/jobs/{job.pk}/log/?attempt=1&from=14"


def test_it_goes_on_with_the_next_attempt_and_ends_with_the_job(operator: Client, logs: Path) -> None:
    job = running()
    log(logs, job, "first\n")
    answer = operator.get(f"/jobs/{job.pk}/log/")
    log(logs, job, "its end")
    Attempt.objects.filter(job=job).update(ended_at=timezone.now())
    Attempt.objects.create(job=job, number=2, host="mini")
    log(logs, job, "second\n", attempt=2)
    answer = operator.get(more(answer))
    assert (shown(answer), "Attempt 2:" in answer.content.decode()) == (["its end"], True)
    answer = operator.get(more(answer))
    assert shown(answer) == ["second"]
    assert job.move(JobStatus.SUCCEEDED)
    answer = operator.get(more(answer))
    assert (shown(answer), more(answer)) == ([], None)


def test_what_an_engine_writes_is_text_and_nothing_else(operator: Client, logs: Path) -> None:
    job = running()
    log(logs, job, EVIL + "\n")
    answer = operator.get(f"/jobs/{job.pk}/log/")
    assert EVIL not in answer.content.decode()
    assert shown(answer) == [EVIL]
    plain = operator.get(f"/jobs/{job.pk}/log/1.txt")
    assert plain["Content-Type"] == "text/plain; charset=utf-8"
    assert plain["X-Content-Type-Options"] == "nosniff"
    assert b"".join(plain).decode() == EVIL + "\n"  # type: ignore[arg-type]


def test_every_attempt_is_linked(operator: Client, logs: Path) -> None:
    job = in_status(JobStatus.FAILED)
    Attempt.objects.create(job=job, number=2, host="mini")
    answer = operator.get(f"/jobs/{job.pk}/")
    links = [e["href"] for e in elements(answer, "a") if "/log/" in e.attributes.get("href", "")]
    assert links == [f"/jobs/{job.pk}/log/1.txt", f"/jobs/{job.pk}/log/2.txt"]


@pytest.mark.parametrize("name", ["../secret_key", "/etc/passwd", "engine-x.log"])
def test_another_file_is_not_shown_whatever_the_row_says(operator: Client, logs: Path, name: str) -> None:
    job = running()
    (logs.parent / "secret_key").write_text("secret")
    Attempt.objects.filter(job=job).update(log_name=name)
    assert shown(operator.get(f"/jobs/{job.pk}/log/")) == []
    assert operator.get(f"/jobs/{job.pk}/log/1.txt").status_code == 404


@pytest.mark.parametrize("query", ["?from=x&attempt=y", "?from=-1", "?from=99999999999999999999", "?attempt=77"])
def test_a_question_that_makes_no_sense_is_answered(operator: Client, logs: Path, query: str) -> None:
    job = running()
    log(logs, job, "one\n")
    assert operator.get(f"/jobs/{job.pk}/log/{query}").status_code == 200


def test_it_is_for_those_who_may_see_the_job(anonymous: Client, logs: Path) -> None:
    job = running()
    log(logs, job, "one\n")
    nobody = client_of("nobody")
    for address in (f"/jobs/{job.pk}/log/", f"/jobs/{job.pk}/log/1.txt"):
        assert anonymous.get(address).status_code == 302
        assert nobody.get(address).status_code == 403
        answer = client_of(f"viewer{len(address)}", "view_job").get(address)
        assert answer.status_code == 200
        b"".join(answer)  # reads a file to its end, and closes it
    assert client_of("viewer", "view_job").get("/jobs/999999/log/").status_code == 404
