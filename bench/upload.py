"""Upload a file to a running panel as the page's script does: one multipart request, JSON back."""

from __future__ import annotations

import json
import re
import time
import urllib.request
import uuid
from pathlib import Path

from tests.support.panel import Panel


def upload(panel: Panel, path: Path, *, model: str = "demo") -> int:
    """The new job's number. Log in first (`panel.login()`)."""
    page = panel.get("/jobs/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "the page has no CSRF token"
    boundary = uuid.uuid4().hex
    body = _body(boundary, {"csrfmiddlewaretoken": token.group(1), "model": model, "language": ""}, path)
    headers = {
        "Referer": f"{panel.url}/jobs/",
        "Accept": "application/json",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    request = urllib.request.Request(f"{panel.url}/jobs/upload/", body, headers)
    with panel.opener.open(request, timeout=300) as answer:
        job = json.loads(answer.read())["job"]
    return int(job["url"].rstrip("/").rsplit("/", 1)[1])


def wait_for_end(panel: Panel, job_id: int, *, seconds: float) -> float:
    """Wait until the job has succeeded; the monotonic time at which it was seen.

    Raises:
        AssertionError: it ended otherwise, or the gate held it: such a run measures something else.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status, reason = panel.rows("SELECT status, reason FROM transcribe_job WHERE id = ?", job_id)[0]
        if status == "succeeded":
            return time.monotonic()
        assert status in {"queued", "running"}, f"job {job_id} is {status}: {reason}"
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} did not end within {seconds:g} s")


def _body(boundary: str, fields: dict[str, str], path: Path) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), path.read_bytes(), f"\r\n--{boundary}--\r\n".encode()])
