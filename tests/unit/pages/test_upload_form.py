"""The same upload without the script: a plain form, answered by a page with messages."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from tests.support.markup import element, elements, has_id, messages
from tests.support.rows import CLIP, SPEECH_DIR
from tests.support.uploading import stored_files
from transcribe.models import Job
from transcribe.views.upload import job_title

pytestmark = pytest.mark.django_db

OTHER = SPEECH_DIR / "clip_01.flac"


def upload(client: Client, *paths: Path, **values: str) -> Any:
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths]
        return client.post("/jobs/upload/", {"files": files, "model": "demo", **values}, follow=True)


def bad(tmp_path: Path) -> Path:
    path = tmp_path / "notes.mp3"
    path.write_text("no sound")
    return path


def test_one_recording_leads_to_its_page(operator: Client) -> None:
    answer = upload(operator, CLIP)
    assert answer.redirect_chain == [(f"/jobs/{Job.objects.get().pk}/", 302)]
    assert messages(answer) == ["“clip_00” is queued."]


def test_several_recordings_lead_to_the_list(operator: Client) -> None:
    answer = upload(operator, CLIP, OTHER)
    assert answer.redirect_chain == [("/jobs/", 302)]
    assert messages(answer) == ["“clip_00” is queued.", "“clip_01” is queued."]
    assert len(stored_files()) == 2


def test_one_title_for_several_keeps_their_names_apart(operator: Client) -> None:
    upload(operator, CLIP, OTHER, title="Talk")
    assert sorted(Job.objects.values_list("title", flat=True)) == ["Talk: clip_00", "Talk: clip_01"]


@pytest.mark.parametrize(
    ("title", "name", "count", "made"),
    [
        ("Talk", "a.mp3", 1, "Talk"),
        ("Talk", "a.mp3", 2, "Talk: a"),
        ("", "a.mp3", 1, ""),
        ("", "a.mp3", 2, ""),
        ("Talk", "a.b.mp3", 2, "Talk: a.b"),
        ("Talk", "a", 2, "Talk: a"),
    ],
)
def test_the_rule_for_titles(title: str, name: str, count: int, made: str) -> None:
    assert job_title(title, name, count) == made


def test_a_bad_file_among_good_ones_is_told_and_the_others_are_taken(operator: Client, tmp_path: Path) -> None:
    answer = upload(operator, CLIP, bad(tmp_path), OTHER)
    assert answer.redirect_chain == [("/jobs/", 302)]
    told = messages(answer)
    assert (told[0], told[2]) == ("“clip_00” is queued.", "“clip_01” is queued.")
    assert told[1].startswith("notes.mp3: ")
    assert len(stored_files()) == Job.objects.count() == 2


def test_a_bad_file_alone_leads_back_to_the_list(operator: Client, tmp_path: Path) -> None:
    answer = upload(operator, bad(tmp_path))
    assert answer.redirect_chain == [("/jobs/", 302)]
    assert len(messages(answer)) == 1
    assert not Job.objects.exists()
    assert stored_files() == []


def test_the_same_recording_again_is_pointed_out(operator: Client) -> None:
    upload(operator, CLIP, title="first")
    job = Job.objects.get()
    told = messages(upload(operator, CLIP, title="second"))
    assert told == [
        "“second” is queued.",
        f"The same recording was uploaded before, as job {job.pk}, “first”.",
    ]


def test_no_file_is_told(operator: Client) -> None:
    answer = operator.post("/jobs/upload/", {"model": "demo"}, follow=True)
    assert messages(answer) == ["No file was chosen. Choose a recording first."]


def test_a_wrong_option_shows_the_form_again_with_what_was_given(operator: Client) -> None:
    answer = upload(operator, CLIP, title="My <talk>", language="en", option_beam_size="99")
    assert answer.status_code == 422
    assert "choose the files again" in element(answer, "p", role="alert").words
    (wrong,) = elements(answer, "div", class_="wrong")
    assert "beam_size" in wrong.words
    assert element(answer, "input", id="id_title")["value"] == "My <talk>"
    assert element(answer, "input", id="id_option_beam_size")["value"] == "99"
    chosen = [e["value"] for e in elements(answer, "option", selected="")]
    assert {"demo", "en"} <= set(chosen)
    assert "open" in element(answer, "details", class_="more").attributes
    assert not Job.objects.exists()
    assert stored_files() == []


def test_an_option_that_is_not_taken_is_told(operator: Client) -> None:
    answer = upload(operator, CLIP, option_clip_timestamps="0,10")
    assert answer.status_code == 422
    assert "“clip_timestamps” is not taken: a recording is read as a whole" in answer.content.decode()
    assert not Job.objects.exists()


def test_a_wrong_language_shows_the_form_again_with_the_options_closed(operator: Client) -> None:
    answer = upload(operator, CLIP, model="base.en", language="de")
    assert answer.status_code == 422
    assert "knows English only" in elements(answer, "div", class_="wrong")[0].words
    assert "open" not in element(answer, "details", class_="more").attributes


def test_the_form_offers_models_in_groups_and_shows_whispers_defaults(operator: Client) -> None:
    answer = operator.get("/jobs/")
    assert has_id(answer, "upload")
    groups = [e["label"] for e in elements(answer, "optgroup")]
    assert groups == ["Ready here", "openai-whisper"]
    assert element(answer, "input", id="id_option_beam_size")["value"] == "5"
    assert element(answer, "input", id="id_option_suppress_tokens")["value"] == "-1"
    labels = [e for e in elements(answer, "label") if e["for"].startswith("id_option_")]
    assert len(labels) == 18


def test_more_files_than_can_come_at_once_are_told(operator: Client) -> None:
    files = [ContentFile(b"x", name=f"{number}.mp3") for number in range(101)]
    answer = operator.post("/jobs/upload/", {"files": files, "model": "demo"}, follow=True)
    assert messages(answer) == ["At most 100 files can come at once, and these were more. None was kept; choose fewer."]
    assert stored_files() == []
