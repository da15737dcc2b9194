"""A disk that is full: the real thing, a small tmpfs as the uploads folder in a mount namespace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.audio_files import beacon, write_wav
from tests.support.panel import BASE_DIR

pytestmark = pytest.mark.usefixtures("needs_root")

# Runs with the uploads folder on a disk of 2 MiB; argv: the case, a wav of 640 KB. The last line is the answer.
PROGRAM = """
import json, os, sys, threading
from io import BytesIO
from pathlib import Path
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from tests.support.uploading import form_of, posted, posted_together, stored_files, submit
from transcribe.audio.errors import AudioError
from transcribe.errors import TranscribeError, UploadRefused
from transcribe.models import Job
from transcribe.uploads import local_upload

call_command("migrate", verbosity=0)
uploads, source = Path(settings.MEDIA_ROOT), Path(sys.argv[2])
filler = uploads / "filler"

def fill(leave_bytes):
    free = os.statvfs(uploads).f_bavail * os.statvfs(uploads).f_frsize
    filler.write_bytes(bytes(max(0, free - leave_bytes)))

class FillsTheDisk(BytesIO):
    '''A slow upload: while it comes in, somebody else takes what was free.'''
    def read(self, *args):
        data = super().read(*args)
        if self.tell() > 200_000 and not filler.exists():
            fill(0)
        return data

def too_large():
    fill(300_000)
    submit(posted("talk.wav", source.read_bytes()))

def meanwhile():
    submit(posted("talk.wav", source.read_bytes(), stream_of=FillsTheDisk))

def last_bytes():
    # The last piece is small, so it waits in a buffer and fails only when the file is completed.
    length = 10 * 65536 + 3500
    class FillsAtTheEnd(BytesIO):
        def read(self, *args):
            data = super().read(*args)
            if self.tell() == length and not filler.exists():
                fill(0)
            return data
    content = bytes(length - len(form_of(("talk.wav", b""))))
    submit(posted("talk.wav", content, stream_of=FillsAtTheEnd))

def second_of_a_form():
    content = source.read_bytes()
    posted_together(("first.wav", content[:1000]), ("talk.wav", content), stream_of=FillsTheDisk)

def local_file():
    fill(300_000)
    with local_upload(source) as upload:
        submit(upload)

def at_once():
    # Four forms of 640 KB, of which each alone would fit beside the reserve.
    settings.DISK_RESERVE_BYTES = 1_200_000
    begin, content = threading.Barrier(4), source.read_bytes()
    class BeginsWithTheOthers(BytesIO):
        def read(self, *args):
            data = super().read(*args)
            if self.tell() == len(data) > 0:
                begin.wait(20)
            return data
    def upload(number):
        try:
            kept.append(posted(f"{number}.wav", content, stream_of=BeginsWithTheOthers))
        except UploadRefused:
            refused.append(number)
    kept, refused = [], []
    threads = [threading.Thread(target=upload, args=[number]) for number in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    free = os.statvfs(uploads).f_bavail * os.statvfs(uploads).f_frsize
    for upload in kept: upload.close()
    assert free >= settings.DISK_RESERVE_BYTES, free
    assert (len(kept), len(refused)) == (1, 3)
    submit(posted("talk.wav", content))

def no_names_left():
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(exist_ok=True)
    for number in range(100_000):
        try:
            (uploads / f"n{number}").touch()
        except OSError:
            break
    submit(posted("talk.wav", source.read_bytes()))

def fits():
    submit(posted("talk.wav", source.read_bytes()))

answer = {"error": "", "message": ""}
try:
    globals()[sys.argv[1]]()
except (TranscribeError, AudioError) as error:
    answer = {"error": type(error).__name__, "message": str(error)}
answer["left"] = [path.name for path in stored_files() if path != filler and path.stat().st_size]
answer["jobs"] = Job.objects.count()
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", beacon(20, 16000))


def on_small_disk(tmp_path: Path, case: str, source: Path, *, options: str = "size=2m") -> dict[str, Any]:
    (tmp_path / "var" / "uploads").mkdir(parents=True)
    mount_and_run = 'mount -t tmpfs -o "$1" tmpfs "$2" && exec "$3" -c "$4" "$5" "$6"'
    words = [options, str(tmp_path / "var" / "uploads"), sys.executable, PROGRAM, case, str(source)]
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-ec", mount_and_run, "sh", *words],
        cwd=BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "j5a_admin.settings",
            "J5A_DATA_DIR": str(tmp_path / "var"),
            "J5A_LOCK_DIR": str(tmp_path / "locks"),
            "J5A_DISK_RESERVE_MIB": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_disk_with_room_takes_it(tmp_path: Path, talk: Path) -> None:
    answer = on_small_disk(tmp_path, "fits", talk)
    assert (answer["error"], answer["jobs"], len(answer["left"])) == ("", 1, 1)


def test_uploads_at_once_leave_the_reserve_free(tmp_path: Path, talk: Path) -> None:
    answer = on_small_disk(tmp_path, "at_once", talk)
    assert (answer["error"], answer["jobs"], len(answer["left"])) == ("", 1, 1)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("too_large", "talk.wav needs 625.2\xa0KB, but the disk has only 292.0\xa0KB free"),
        ("meanwhile", "talk.wav could not be stored: No space left on device."),
        ("last_bytes", "talk.wav could not be stored: No space left on device."),
        ("second_of_a_form", "talk.wav could not be stored: No space left on device."),
        ("local_file", "talk.wav needs 625.0\xa0KB, but the disk has only 292.0\xa0KB free"),
    ],
)
def test_it_is_refused_and_nothing_remains(tmp_path: Path, talk: Path, case: str, message: str) -> None:
    answer = on_small_disk(tmp_path, case, talk)
    assert answer["error"] == "UploadRefused"
    assert message in answer["message"]
    assert "ree some space" in answer["message"]
    assert (answer["left"], answer["jobs"]) == ([], 0)


def test_a_disk_without_room_for_another_file_refuses_it(tmp_path: Path, talk: Path) -> None:
    answer = on_small_disk(tmp_path, "no_names_left", talk, options="size=2m,nr_inodes=20")
    assert answer["error"] == "UploadRefused"
    assert answer["message"].startswith("talk.wav could not be stored: No space left on device.")
    assert (answer["left"], answer["jobs"]) == ([], 0)
