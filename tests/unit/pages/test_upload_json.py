"""One file by the page's script: a job, or the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ
from pytest_django import Settings

from tests.support.audio_files import beacon, cut_off, write_video, write_wav
from tests.support.rows import CLIP
from tests.support.uploading import stored_files
from transcribe.models import Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


def upload(client: Client, path: Path, **values: str) -> Any:
    with path.open("rb") as file:
        form = {"files": file, "model": "demo", **values}
        return client.post("/jobs/upload/", form, headers={"Accept": "application/json"})


def test_a_recording_becomes_a_queued_job(operator: Client) -> None:
    answer = upload(operator, CLIP, title="My talk", language="en")
    job = Job.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"job": {"title": "My talk", "url": f"/jobs/{job.pk}/"}, "duplicate": None, "notes": []}
    assert (job.status, job.model, job.language, job.options) == (JobStatus.QUEUED, "demo", "en", {})
    assert job.submitted_by is not None
    assert job.submitted_by.username == "operator"
    assert [path.read_bytes() for path in stored_files()] == [CLIP.read_bytes()]
    assert OrmQ.objects.count() == 1


def test_without_a_title_the_files_name_is_used(operator: Client) -> None:
    assert upload(operator, CLIP).json()["job"]["title"] == "clip_00"
    assert upload(operator, CLIP, title="   ").json()["job"]["title"] == "clip_00"


def test_the_same_recording_again_is_pointed_out_and_taken(operator: Client) -> None:
    first = upload(operator, CLIP, title="first").json()
    second = upload(operator, CLIP, title="second").json()
    assert second["duplicate"] == first["job"]
    assert Job.objects.count() == 2


def test_what_the_probe_noticed_comes_along(operator: Client, tmp_path: Path) -> None:
    answer = upload(operator, cut_off(write_wav(tmp_path / "cut.wav", beacon(4, 16_000)), 0.5))
    assert answer.status_code == 201
    assert len(answer.json()["notes"]) == 1
    assert answer.json()["notes"] == Job.objects.get().note.splitlines()


def test_options_that_differ_from_whispers_are_kept(operator: Client) -> None:
    answer = upload(operator, CLIP, option_beam_size="", option_temperature="0.2", option_best_of="5")
    assert answer.status_code == 201
    assert Job.objects.get().options == {"beam_size": None, "temperature": 0.2}


def test_several_at_once_are_each_answered(operator: Client, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a recording")
    with CLIP.open("rb") as good, text.open("rb") as bad:
        form = {"files": [bad, good], "model": "demo"}
        answer = operator.post("/jobs/upload/", form, headers={"Accept": "application/json"})
    refusal, taken = answer.json()["results"]
    assert answer.status_code == 201
    assert "notes.txt" in refusal["error"]
    assert taken["job"]["url"] == f"/jobs/{Job.objects.get().pk}/"


def refused(answer: Any) -> dict[str, Any]:
    """What it says; nothing is kept."""
    assert answer.status_code == 422
    assert not Job.objects.exists()
    assert not OrmQ.objects.exists()
    assert stored_files() == []
    said: dict[str, Any] = answer.json()
    return said


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _text(path: Path) -> Path:
    path.write_text("no sound at all\n" * 100)
    return path


def _silent_film(path: Path) -> Path:
    return write_video(path.with_suffix(".mp4"), 1).rename(path)


@pytest.mark.parametrize(
    ("make", "cause"), [(_empty, "empty"), (_text, "not a sound or video file"), (_silent_film, "no sound")]
)
def test_a_bad_file_is_refused_with_its_name_and_cause(
    operator: Client, tmp_path: Path, make: Callable[[Path], Path], cause: str
) -> None:
    said = refused(upload(operator, make(tmp_path / "my talk.mp3")))
    assert said["error"].startswith("my talk.mp3: ")
    assert cause in said["error"]
    assert str(tmp_path) not in said["error"]


def test_a_file_over_the_limit_is_refused(operator: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    said = refused(upload(operator, CLIP))
    assert said["error"].startswith("clip_00.flac is too large")


def test_a_full_disk_is_told(operator: Client, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    assert "Free some space" in refused(upload(operator, CLIP))["error"]


def test_no_file_is_told(operator: Client) -> None:
    answer = operator.post("/jobs/upload/", {"model": "demo"}, headers={"Accept": "application/json"})
    assert refused(answer) == {"error": "No file was chosen. Choose a recording first."}


def test_an_unknown_model_marks_its_field(operator: Client) -> None:
    said = refused(upload(operator, CLIP, model="enormous"))
    assert set(said["fields"]) == {"model"}
    assert "enormous" in said["error"]


def test_a_missing_model_marks_its_field(operator: Client) -> None:
    with CLIP.open("rb") as file:
        answer = operator.post("/jobs/upload/", {"files": file}, headers={"Accept": "application/json"})
    assert set(refused(answer)["fields"]) == {"model"}


def test_an_unknown_language_marks_its_field(operator: Client) -> None:
    assert set(refused(upload(operator, CLIP, language="xx"))["fields"]) == {"language"}


def test_an_english_model_takes_no_other_language(operator: Client) -> None:
    said = refused(upload(operator, CLIP, model="tiny.en", language="de"))
    assert said["fields"] == {"language": [said["error"]]}
    assert "tiny.en knows English only" in said["error"]
    assert "“tiny”" in said["error"]


def test_a_language_that_the_model_does_not_know_marks_its_field(operator: Client) -> None:
    said = refused(upload(operator, CLIP, model="base", language="yue"))
    assert said["fields"] == {"language": [said["error"]]}
    assert "base does not know Cantonese" in said["error"]


def test_a_translation_that_the_model_cannot_do_marks_its_field(operator: Client) -> None:
    said = refused(upload(operator, CLIP, model="turbo", option_task="translate"))
    assert said["fields"] == {"option_task": [said["error"]]}
    assert "turbo was not trained to translate" in said["error"]


@pytest.mark.parametrize("language", ["", "en"])
def test_an_english_model_takes_english_and_detection(operator: Client, language: str) -> None:
    assert upload(operator, CLIP, model="tiny.en", language=language).status_code == 201


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", "0"),
        ("beam_size", "2.5"),
        ("temperature", "hot"),
        ("temperature", "nan"),
        ("task", "sing"),
        ("word_timestamps", "perhaps"),
        ("suppress_tokens", "a,b"),
        ("initial_prompt", "x" * 5000),
        ("initial_prompt", "a\x00b"),
        ("hallucination_silence_threshold", "1"),
    ],
)
def test_a_wrong_option_marks_its_field(operator: Client, name: str, value: str) -> None:
    said = refused(upload(operator, CLIP, **{f"option_{name}": value}))
    assert set(said["fields"]) == {f"option_{name}"}
    assert said["error"] == said["fields"][f"option_{name}"][0]


@pytest.mark.parametrize("name", ["clip_timestamps", "nonsense"])
def test_an_option_that_is_not_taken_is_refused(operator: Client, name: str) -> None:
    said = refused(upload(operator, CLIP, **{f"option_{name}": "0,10"}))
    assert said["error"].startswith(f"The option “{name}” is not taken: ")
    assert said["fields"] == {}


def test_an_emptied_list_of_tokens_suppresses_none(operator: Client) -> None:
    assert upload(operator, CLIP, option_suppress_tokens="").status_code == 201
    assert Job.objects.get().options == {"suppress_tokens": ""}


@pytest.mark.parametrize("title", ["x" * 201, "a\x00b"])
def test_a_title_that_does_not_fit_marks_its_field(operator: Client, title: str) -> None:
    assert set(refused(upload(operator, CLIP, title=title))["fields"]) == {"title"}


def test_a_broken_body_is_a_400_and_keeps_nothing(operator: Client) -> None:
    answer = operator.post("/jobs/upload/", b"nonsense", content_type="multipart/form-data")
    assert answer.status_code == 400
    assert stored_files() == []
