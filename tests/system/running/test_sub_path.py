"""A panel below a path of another site, behind a proxy that passes the path on: files come in there, too."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

from tests.support.panel import Panel, csrf_token
from tests.support.speech_files import SPEECH_DIR

CLIP = SPEECH_DIR / "clip_00.flac"


def test_a_recording_is_uploaded_and_transcribed(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(J5A_SUB_PATH="/j5a")
    panel.url += "/j5a"
    panel.login()
    token = csrf_token(panel.get("/jobs/"))
    fields = {"csrfmiddlewaretoken": token, "model": "demo", "language": "en"}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    parts.append(b'--b\r\nContent-Disposition: form-data; name="files"; filename="talk.flac"\r\n\r\n')
    body = b"".join(parts) + CLIP.read_bytes() + b"\r\n--b--\r\n"
    assert len(body) > 256 * 1024, "more than a form of any other address may hold"
    headers = {"Referer": f"{panel.url}/jobs/", "Content-Type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(f"{panel.url}/jobs/upload/", body, headers)
    with panel.opener.open(request, timeout=60) as answer:
        assert answer.url.startswith(f"{panel.url}/jobs/")
    panel.wait_for_job(1, "succeeded")
