"""A file that is uploaded keeps its name: the spaces and joiners of every script, and what looks like an ending."""

from __future__ import annotations

import pytest

from tests.support.speech_files import SAMPLE
from tests.support.uploading import posted, submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uploads")]


@pytest.mark.parametrize(
    ("name", "shown", "title"),
    [
        ("Recording 9.41\u202fAM.mp3", "Recording 9.41 AM.mp3", "Recording 9.41 AM"),
        ("会議\u3000録音.mp3", "会議 録音.mp3", "会議 録音"),
        ("two\r\nlines\u00a0here.mp3", "two lines here.mp3", "two lines here"),
        ("می\u200cخواهم.mp3", "می\u200cخواهم.mp3", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧.mp3", "👨\u200d👩\u200d👧.mp3", "👨\u200d👩\u200d👧"),
        ("meeting 2024.01.15", "meeting 2024.01.15", "meeting 2024.01.15"),
        ("Q&amp;A.mp3", "Q&amp;A.mp3", "Q&amp;A"),
    ],
)
def test_it_keeps_its_name(name: str, shown: str, title: str) -> None:
    upload = posted(name, SAMPLE.read_bytes())
    job = submit(upload).job
    assert (upload.name, job.original_name, job.title) == (shown, shown, title)


def test_a_title_is_put_on_one_line() -> None:
    assert (
        submit(posted("a.mp3", SAMPLE.read_bytes()), title="می\u200cخواهم\u202f1\n2").job.title == "می\u200cخواهم 1 2"
    )
