"""A file on its way in: to disk, beside the uploads, hashed; refused before it is written when it cannot fit."""

from __future__ import annotations

import hashlib
import shutil
import stat
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support.audio_files import garbage
from tests.support.uploading import form_of, posted, posted_together, stored_files
from transcribe.errors import UploadRefused
from transcribe.uploads import upload_discard, upload_keep

CONTENT = garbage(300_001)  # more than four of Django's 64 KiB pieces, and no round number


@pytest.mark.usefixtures("uploads")
def test_it_hashes_what_comes_in() -> None:
    upload = posted("talk.wav", CONTENT)
    assert upload.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert upload.size == len(CONTENT)
    upload.close()


@pytest.mark.usefixtures("uploads")
def test_two_files_of_a_form_have_two_hashes() -> None:
    first, second = posted_together(("a.wav", b"one"), ("a.wav", b"two"))
    assert first.sha256 == hashlib.sha256(b"one").hexdigest()
    assert second.sha256 == hashlib.sha256(b"two").hexdigest()
    first.close()
    second.close()


def test_it_writes_beside_the_uploads_for_us_alone(uploads: Path) -> None:
    upload = posted("talk.wav", CONTENT)
    path = Path(upload.temporary_file_path())
    assert path.parent == uploads / "incoming"
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    upload.close()


def test_keeping_it_is_a_move(uploads: Path) -> None:
    upload = posted("Talk.WAV", CONTENT)
    inode = Path(upload.temporary_file_path()).stat().st_ino
    name = upload_keep(upload)
    upload_discard(upload)
    (kept,) = stored_files()
    assert kept == uploads / name
    assert (kept.stat().st_ino, kept.suffix) == (inode, ".wav")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.usefixtures("uploads")
def test_discarding_it_leaves_nothing() -> None:
    upload_discard(posted("talk.wav", CONTENT))
    assert stored_files() == []


@pytest.mark.parametrize("name", ["a." + "x" * 300, "a." + "ü" * 250, "x" * 300 + ".wav", "🎙" * 200])
@pytest.mark.usefixtures("uploads")
def test_a_name_of_any_length_can_be_stored(name: str) -> None:
    upload = posted(name, b"sound")
    assert Path(upload.temporary_file_path()).read_bytes() == b"sound"
    upload.close()


@pytest.mark.parametrize(("over_bytes", "refused"), [(-1, False), (0, False), (1, True)])
def test_it_refuses_more_than_the_limit_before_it_is_written(
    settings: Settings, uploads: Path, over_bytes: int, refused: bool
) -> None:
    settings.UPLOAD_MAX_BYTES = len(form_of(("talk.wav", CONTENT))) - over_bytes
    if not refused:
        posted("talk.wav", CONTENT).close()
        return
    with pytest.raises(UploadRefused, match=r"^talk\.wav is too large: .* Split the recording"):
        posted("talk.wav", CONTENT)
    assert list((uploads / "incoming").iterdir()) == []


def test_it_refuses_what_would_touch_the_reserve(settings: Settings, uploads: Path) -> None:
    settings.DISK_RESERVE_BYTES = shutil.disk_usage(uploads).free + 10 * 1024**3
    with pytest.raises(
        UploadRefused, match=r"^talk\.wav needs .* the disk has only .* free and .* kept in reserve\. Free some space"
    ):
        posted("talk.wav", CONTENT)
    assert stored_files() == []


@pytest.mark.usefixtures("uploads")
def test_a_quote_in_the_name_is_a_quote_again() -> None:
    upload = posted('the "big" talk.wav', b"sound")
    assert upload.name == 'the "big" talk.wav'
    upload.close()
