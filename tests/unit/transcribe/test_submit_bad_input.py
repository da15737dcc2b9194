"""Every bad file of the issue through the whole submission: a clear message, no job, no file, no stack trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django_q.models import OrmQ

from tests.support.audio_files import (
    beacon,
    cut_off,
    encode,
    garbage,
    write_video,
    write_wav,
    write_wav_stating,
)
from tests.support.uploading import posted, stored_files, submit
from transcribe.audio.errors import (
    AudioRefused,
    EmptyFile,
    FileCutOff,
    NoSoundTrack,
    NotAudio,
    NothingDecodable,
)
from transcribe.models import Job, JobEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uploads")]

Maker = Callable[[Path], Path]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def cut_before_its_index(path: Path) -> Path:
    return cut_off(encode(path, beacon(5, 44100), 44100, "aac"), 0.5)


def sound_overwritten(path: Path) -> Path:
    content = bytearray(encode(path, beacon(5, 44100), 44100, "aac").read_bytes())
    start, end = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    content[start:end] = bytes(end - start)
    return written(path, bytes(content))


@pytest.mark.parametrize(
    ("name", "make", "error", "cause", "hint"),
    [
        ("talk.mp3", lambda path: written(path, b""), EmptyFile, "the file is empty", "Copy or record it again"),
        ("talk.mp3", lambda path: written(path, garbage(50_000)), NotAudio, "not a sound or video", "Use a recording"),
        ("talk.wav", lambda path: written(path, b"RIFF"), NotAudio, "not a sound or video", "Use a recording"),
        ("notes.txt", lambda path: written(path, b"hello\n" * 99), NotAudio, "not a sound or video", "such as wav"),
        ("film.mp4", lambda path: write_video(path, 1), NoSoundTrack, "pictures but no sound", "with a sound track"),
        ("film.mkv", lambda path: write_video(path, 1), NoSoundTrack, "pictures but no sound", "with a sound track"),
        ("talk.m4a", cut_before_its_index, FileCutOff, "the file is cut off", "Copy it again"),
        ("talk.m4a", sound_overwritten, NothingDecodable, "not one stretch of it", "plays elsewhere"),
    ],
)
def test_it_refuses_with_name_cause_and_next_step(
    tmp_path: Path, name: str, make: Maker, error: type[AudioRefused], cause: str, hint: str
) -> None:
    with pytest.raises(error) as caught:
        submit(posted(name, make(tmp_path / name).read_bytes()))
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert cause in message
    assert hint in message
    assert str(tmp_path) not in message
    assert not Job.objects.exists()
    assert not JobEvent.objects.exists()
    assert not OrmQ.objects.exists()
    assert stored_files() == []


@pytest.mark.parametrize(
    ("name", "make", "seconds", "note"),
    [
        ("a.wav", lambda path: write_wav_stating(path, beacon(4, 16000), 0), 4.0, "states no length"),
        (
            "a.wav",
            lambda path: write_wav_stating(path, beacon(4, 16000), 32_000),
            4.0,
            "says 1.0 s, but there are 4.0 s",
        ),
        ("a.wav", lambda path: write_wav_stating(path, beacon(4, 16000), 640_000), 4.0, "the file ends after 4.0 s"),
        ("a.wav", lambda path: cut_off(write_wav(path, beacon(10, 16000)), 0.5), 5.0, "probably cut off"),
        ("a.mp3", lambda path: cut_off(encode(path, beacon(10, 44100), 44100, "libmp3lame"), 0.5), 5.0, "cut off"),
        ("a.wav", lambda path: write_wav(path, beacon(2, 44100), 44100, channels=12), 2.0, ""),
        ("a.wav", lambda path: encode(path, beacon(3, 8000), 8000, "pcm_mulaw"), 3.0, ""),
        ("a.mp4", lambda path: encode(path, beacon(3, 44100), 44100, "aac", video="mpeg4"), 3.0, ""),
        ("a.mkv", lambda path: encode(path, beacon(3, 48000), 48000, "libopus", video="mpeg4"), 3.0, ""),
        ("a.webm", lambda path: encode(path, beacon(3, 48000), 48000, "libopus", video="libvpx"), 3.0, ""),
    ],
)
def test_it_takes_what_can_be_used_and_notes_what_is_wrong_with_it(
    tmp_path: Path, name: str, make: Maker, seconds: float, note: str
) -> None:
    job = submit(posted(name, make(tmp_path / name).read_bytes())).job
    assert job.duration_seconds == pytest.approx(seconds, abs=0.3)
    assert note in job.note
    assert bool(note) is bool(job.note)
    assert len(stored_files()) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd.wav", "passwd.wav"),
        ("..\\..\\windows\\talk.wav", "talk.wav"),
        ('it\'s "quoted" & <b> $(rm).wav', 'it\'s "quoted" & <b> $(rm).wav'),
        ("🎙 Grüße.wav", "🎙 Grüße.wav"),
        ("x" * 296 + ".wav", "x" * 251 + ".wav"),
        ("a." + "y" * 240, "a." + "y" * 240),
        ("-i.wav", "-i.wav"),
        ("http:.wav", "http:.wav"),
    ],
)
def test_no_name_can_leave_the_uploads_folder(uploads: Path, tmp_path: Path, name: str, shown: str) -> None:
    content = write_wav(tmp_path / "a.wav", beacon(1, 16000)).read_bytes()
    job = submit(posted(name, content)).job
    assert job.original_name == shown
    assert Path(job.audio.path).parent == uploads
    assert Path(job.audio.path).read_bytes() == content
    assert stored_files() == [Path(job.audio.path)]


def test_a_refusal_shows_a_long_name_shortened() -> None:
    with pytest.raises(EmptyFile) as caught:
        submit(posted("x" * 296 + ".mp3", b""))
    shown, _, rest = str(caught.value).partition(": ")
    assert shown == "x" * 39 + "…" + "x" * 35 + ".mp3"
    assert rest.startswith("the file is empty")
