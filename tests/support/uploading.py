"""Uploads as they come: bytes of a multipart form through Django's own parser and our handler."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.http.multipartparser import MultiPartParser
from pytest_django import Settings

from transcribe.options import DecodingOptions
from transcribe.services import Submitted, job_submit
from transcribe.uploads import HashedUpload, HashingUploadHandler

BOUNDARY = "j5a-boundary"


def form_of(*named: tuple[str, bytes]) -> bytes:
    """A form with files, as a browser sends it: quotes in a name are written %22."""
    return b"".join(_part(name, content) for name, content in named) + f"--{BOUNDARY}--\r\n".encode()


def _part(name: str, content: bytes) -> bytes:
    shown = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{shown}"\r\n'
    return head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"


def posted(name: str, content: bytes, *, stream_of: Callable[[bytes], BytesIO] = BytesIO) -> HashedUpload:
    """The file of a form. Raises what the handler raises."""
    (upload,) = posted_together((name, content), stream_of=stream_of)
    return upload


def posted_together(*named: tuple[str, bytes], stream_of: Callable[[bytes], BytesIO] = BytesIO) -> list[HashedUpload]:
    body = form_of(*named)
    headers = {"CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}", "CONTENT_LENGTH": str(len(body))}
    _, files = MultiPartParser(headers, stream_of(body), [HashingUploadHandler()]).parse()
    return [upload for upload in files.getlist("files") if isinstance(upload, HashedUpload)]


def submit(upload: HashedUpload, *, title: str = "", model: str = "demo") -> Submitted:
    """What the upload page does with it."""
    try:
        return job_submit(
            upload, title=title, model=model, language="", options=DecodingOptions.from_mapping({}), user=None
        )
    finally:
        upload.close()


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.fixture(name="uploads")
def uploads_folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty uploads folder; `incoming` below it takes what is on its way in."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads" / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
    return tmp_path / "uploads"
