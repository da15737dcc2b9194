"""The recording for the player: whole, in pieces, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.support.audio_files import beacon, encode, write_wav
from tests.support.rows import CLIP, add_text, in_status, submitted
from transcribe.models import Job
from transcribe.states import JobStatus
from transcribe.views.audio import PIECE_BYTES

pytestmark = pytest.mark.django_db

SIZE = CLIP.stat().st_size


def ask(client: Client, job: Job, method: str = "get", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client, method)(f"/jobs/{job.pk}/audio/", headers=named)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_whole_file_is_served(operator: Client) -> None:
    answer = ask(operator, submitted())
    assert answer.status_code == 200
    assert body(answer) == CLIP.read_bytes()
    assert answer["Content-Length"] == str(SIZE)
    assert answer["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("0-0", 0, 0),
        ("0-", 0, SIZE - 1),
        ("100-199", 100, 199),
        ("-10", SIZE - 10, SIZE - 1),
        ("-99999999", 0, SIZE - 1),
    ],
)
def test_a_range_is_served_as_a_part(operator: Client, wanted: str, first: int, last: int) -> None:
    answer = ask(operator, submitted(), Range=f"bytes={wanted}")
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)
    assert body(answer) == CLIP.read_bytes()[first : last + 1]


@pytest.mark.parametrize("wanted", [f"{SIZE}-", f"{SIZE}-{SIZE + 5}", "-0"])
def test_a_range_behind_the_end_is_416(operator: Client, wanted: str) -> None:
    answer = ask(operator, submitted(), Range=f"bytes={wanted}")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("header", ["bytes=0-1,5-9", "bytes=9-5", "items=0-5", "bytes=" + "9" * 5000 + "-"])
def test_several_or_malformed_ranges_get_the_whole_file(operator: Client, header: str) -> None:
    answer = ask(operator, submitted(), Range=header)
    assert answer.status_code == 200
    assert len(body(answer)) == SIZE


def test_head_tells_the_size_and_sends_nothing(operator: Client) -> None:
    answer = ask(operator, submitted(), "head", Range="bytes=0-9")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(SIZE), b"")
    assert answer["Accept-Ranges"] == "bytes"


def test_a_copy_that_is_still_right_is_304(operator: Client) -> None:
    job = submitted()
    tag = f'"{job.audio_sha256}"'
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = ask(operator, job, If_None_Match=header, Range="bytes=0-9")
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)


def test_another_copy_is_not(operator: Client) -> None:
    answer = ask(operator, submitted(), If_None_Match='"x"')
    assert answer.status_code == 200
    answer.close()


def test_a_range_of_this_version_is_served(operator: Client) -> None:
    job = submitted()
    answer = ask(operator, job, Range="bytes=0-9", If_Range=f'"{job.audio_sha256}"')
    assert answer.status_code == 206
    assert len(body(answer)) == 10


@pytest.mark.parametrize("condition", ['"x"', "Wed, 21 Oct 2015 07:28:00 GMT", "", 'W/"x"'])
def test_a_range_of_another_version_gets_the_whole_file(operator: Client, condition: str) -> None:
    answer = ask(operator, submitted(), Range="bytes=0-9", If_Range=condition)
    assert answer.status_code == 200
    assert len(body(answer)) == SIZE


def test_a_large_range_is_served_piece_by_piece(operator: Client, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", beacon(80, 16_000))
    content = path.read_bytes()
    assert len(content) > PIECE_BYTES
    job = submitted(path)
    first = ask(operator, job, Range="bytes=0-")
    assert first["Content-Range"] == f"bytes 0-{PIECE_BYTES - 1}/{len(content)}"
    second = ask(operator, job, Range=f"bytes={PIECE_BYTES}-")
    assert body(first) + body(second) == content


@pytest.mark.parametrize(
    ("made", "codec", "kind"),
    [
        ("a.mp3", "mp3", "audio/mpeg"),
        ("a.ogg", "libopus", "audio/ogg"),
        ("a.m4a", "aac", "audio/mp4"),
        ("a.mkv", "aac", "video/webm"),
        ("a.flac", "flac", "audio/flac"),
        ("a.wav", "pcm_s16le", "audio/wav"),
    ],
)
def test_the_kind_comes_from_the_file_not_from_its_name(
    operator: Client, tmp_path: Path, made: str, codec: str, kind: str
) -> None:
    path = encode(tmp_path / made, beacon(2, 48_000), 48_000, codec).rename(tmp_path / "page.html")
    answer = ask(operator, submitted(path), "head")
    assert answer["Content-Type"] == kind
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_kind_that_browsers_do_not_know_is_plain_bytes(operator: Client) -> None:
    job = submitted()
    Job.objects.update(audio_format="pcm_s16le, 8 kHz, mono, sln")
    assert ask(operator, job, "head")["Content-Type"] == "application/octet-stream"


def test_the_name_is_the_persons(operator: Client, tmp_path: Path) -> None:
    path = tmp_path / 'Gespräch "1"; 🎙.flac'
    path.write_bytes(CLIP.read_bytes())
    disposition = ask(operator, submitted(path), "head")["Content-Disposition"]
    assert disposition == "inline; filename*=UTF-8''Gespr%C3%A4ch%20%221%22%3B%20%F0%9F%8E%99.flac"


def test_a_recording_that_is_gone_is_404(operator: Client) -> None:
    job = submitted()
    Path(job.audio.path).unlink()
    for method in ("get", "head"):
        assert ask(operator, job, method, Range="bytes=0-9").status_code == 404


def test_a_job_without_recording_is_404(operator: Client) -> None:
    assert ask(operator, in_status(JobStatus.FAILED)).status_code == 404


def test_the_page_has_a_player_for_it(operator: Client) -> None:
    job = submitted()
    add_text(job, "zero")
    assert f'src="/jobs/{job.pk}/audio/"' in operator.get(f"/jobs/{job.pk}/").content.decode()
