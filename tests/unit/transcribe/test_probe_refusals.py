"""Files that are refused: which, with what words, and what a hostile one cannot do."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.audio_files import beacon, cut_off, encode, garbage, write_video, write_wav
from transcribe.audio.errors import (
    AudioError,
    AudioRefused,
    EmptyFile,
    FileCutOff,
    FileUnreadable,
    NoSoundTrack,
    NotAudio,
    NothingDecodable,
    TooDemanding,
)
from transcribe.audio.probe import ProbeLimits, probe_file


def refusal(path: Path, name: str = "my talk.mp3", **limits: float) -> AudioError:
    with pytest.raises(AudioError) as caught:
        probe_file(path, display_name=name, limits=ProbeLimits(**limits))  # type: ignore[arg-type]
    assert str(path) not in str(caught.value), "a path of this machine is shown to a user"
    return caught.value


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_it_refuses_an_empty_file(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "0.mp3", b""))

    assert isinstance(error, EmptyFile)
    assert str(error) == ("my talk.mp3: the file is empty (0 bytes). Copy or record it again and use that.")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.mp3", garbage(200_000)),
        ("noise", garbage(200_000)),
        ("text.mp3", b"hello world\n" * 5000),
        ("page.html", b"<!doctype html><p>hello</p>"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + garbage(5000)),
    ],
)
def test_it_refuses_what_is_no_sound(tmp_path: Path, name: str, content: bytes) -> None:
    assert isinstance(refusal(write(tmp_path / name, content)), NotAudio)


def test_it_refuses_a_video_without_sound(tmp_path: Path) -> None:
    error = refusal(write_video(tmp_path / "v.mp4", 1))

    assert isinstance(error, NoSoundTrack)
    assert error.cause == "the file holds pictures but no sound"


def test_it_refuses_an_mp4_cut_off_before_its_index(tmp_path: Path) -> None:
    path = cut_off(encode(tmp_path / "a.m4a", beacon(5, 44100), 44100, "aac"), 0.5)

    assert isinstance(refusal(path), FileCutOff)


def test_it_refuses_a_container_whose_sound_is_all_garbage(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", beacon(5, 44100), 44100, "aac")
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    content[start:end] = bytes(end - start)

    assert isinstance(refusal(write(path, bytes(content))), NothingDecodable)


def test_it_says_when_the_file_is_gone(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.wav")

    assert isinstance(error, FileUnreadable)
    assert not error.permanent


def test_it_says_that_trying_again_cannot_help(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "0.mp3", b""))

    assert isinstance(error, AudioRefused)
    assert error.permanent


def test_it_shows_a_hostile_name_on_one_short_line(tmp_path: Path) -> None:
    name = "../\u202e\x1b[31m\n" + "x" * 300 + ".mp3"

    line = str(refusal(write(tmp_path / "0", b""), name))

    assert len(line) < 200
    assert line.isprintable()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{wav}\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {wav}\nfile {url}\n"),
        ("list.mp3", "ffconcat version 1.0\nfile /etc/passwd\n"),
        ("call.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"),
        (
            "list.mpd",
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>{url}'
            "</BaseURL></Period></MPD>",
        ),
    ],
)
def test_it_opens_nothing_that_a_file_names(tmp_path: Path, name: str, text: str) -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    wav = write_wav(tmp_path / "other.wav", beacon(1, 16000))
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        filled = text.format(wav=wav, url=f"http://127.0.0.1:{port}/x.ts", port=port)
        error = refusal(write(tmp_path / name, filled.encode()))
        server.shutdown()

    assert isinstance(error, NotAudio)
    assert asked == []


def test_it_gives_up_after_its_time(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))
    started = time.monotonic()

    error = refusal(path, wall_seconds=0.01)

    assert isinstance(error, TooDemanding)
    assert time.monotonic() - started < 30  # of the 240 s it has otherwise


def test_it_bounds_memory(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))

    # Room to start the interpreter, not to load the decoders.
    error = refusal(path, memory_bytes=60 << 20)

    assert not isinstance(error, NotAudio | EmptyFile)


def test_it_bounds_processor_time(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))
    big = encode(tmp_path / "a.mka", beacon(1, 48000), 48000, "libopus")

    assert probe_file(path, display_name="a", limits=ProbeLimits(cpu_seconds=30)).duration_seconds == 1.0
    assert isinstance(refusal(big, cpu_seconds=0), TooDemanding)
