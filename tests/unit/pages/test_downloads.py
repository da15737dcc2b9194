"""Transcripts as files: five formats, a name that any system takes, and a word when it is only a part."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from tests.support.rows import add_text, in_status
from transcribe.models import Job
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


def succeeded(**values: Any) -> Job:
    job = in_status(JobStatus.SUCCEEDED, **values)
    add_text(job, " zero one", " two three")
    return job


def name_of(answer: Any) -> str:
    kind, _, name = answer["Content-Disposition"].partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert name.isascii()
    return unquote(name, errors="strict")


@pytest.mark.parametrize(
    ("format", "kind", "content"),
    [
        ("txt", "text/plain; charset=utf-8", "zero one\ntwo three\n"),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,500\nzero one\n\n2\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00.000 --> 00:01.500\nzero one\n"),
        ("tsv", "text/tab-separated-values; charset=utf-8", "start\tend\ttext\n0\t1500\tzero one\n"),
        ("json", "application/json", '{"text": " zero one two three"'),
    ],
)
def test_each_format_is_served(operator: Client, format: str, kind: str, content: str) -> None:
    answer = operator.get(f"/jobs/{succeeded().pk}/transcript.{format}")
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert answer.content.decode().startswith(content)
    assert name_of(answer) == f"Talk.{format}"


def test_json_can_be_read(operator: Client) -> None:
    read = json.loads(operator.get(f"/jobs/{succeeded().pk}/transcript.json").content)
    assert [(s["start"], s["end"], s["text"]) for s in read["segments"]] == [
        (0.0, 1.5, " zero one"),
        (2.0, 3.5, " two three"),
    ]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Gespräch über Öl – 会議 🎙", "Gespräch über Öl – 会議 🎙.txt"),
        ('say "hello"; filename=x', "say _hello_; filename=x.txt"),
        ("it's 100% done", "it's 100% done.txt"),
        ("line\r\nSet-Cookie: a=b", "line Set-Cookie_ a=b.txt"),
        ("../../etc/passwd", "etc_passwd.txt"),
        ("talk.mp3", "talk.txt"),
    ],
)
def test_a_title_becomes_a_name(operator: Client, title: str, name: str) -> None:
    shown = name_of(operator.get(f"/jobs/{succeeded(title=title).pk}/transcript.txt"))
    assert not set('/\\"\r\n') & set(shown)
    if title != "../../etc/passwd":
        assert shown == name
    assert shown.strip(". _") == shown


def test_a_very_long_title_is_cut(operator: Client) -> None:
    name = name_of(operator.get(f"/jobs/{succeeded(title='ä' * 200).pk}/transcript.txt"))
    assert name.startswith("äää")
    assert name.endswith("ä.txt")
    assert len(name.encode()) <= 150


@pytest.mark.parametrize("status", [s for s in JobStatus if s is not JobStatus.SUCCEEDED])
def test_a_part_is_called_a_part(operator: Client, status: JobStatus) -> None:
    job = in_status(status)
    add_text(job, " zero one")
    answer = operator.get(f"/jobs/{job.pk}/transcript.srt")
    assert name_of(answer) == "Talk (partial).srt"
    assert "zero one" in answer.content.decode()


@pytest.mark.parametrize("status", [s for s in JobStatus if s is not JobStatus.SUCCEEDED])
def test_without_text_there_is_no_file(operator: Client, status: JobStatus) -> None:
    assert operator.get(f"/jobs/{in_status(status).pk}/transcript.txt").status_code == 404


def test_silence_is_a_transcript_without_words(operator: Client) -> None:
    answer = operator.get(f"/jobs/{in_status(JobStatus.SUCCEEDED).pk}/transcript.vtt")
    assert answer.status_code == 200
    assert answer.content.decode().startswith("WEBVTT")


@pytest.mark.parametrize("format", ["docx", "TXT", "txt-", "html", "py"])
def test_another_format_is_404(operator: Client, format: str) -> None:
    assert operator.get(f"/jobs/{succeeded().pk}/transcript.{format}").status_code == 404


def test_head_answers_like_get_without_the_text(operator: Client) -> None:
    answer = operator.head(f"/jobs/{succeeded().pk}/transcript.txt")
    assert (answer.status_code, answer.content, name_of(answer)) == (200, b"", "Talk.txt")


def test_markup_in_a_text_cannot_become_a_page(operator: Client) -> None:
    job = in_status(JobStatus.SUCCEEDED)
    add_text(job, "<script>alert(1)</script>")
    for format in ("txt", "srt", "vtt", "tsv", "json"):
        answer = operator.get(f"/jobs/{job.pk}/transcript.{format}")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("attachment")
        assert "html" not in answer["Content-Type"]
