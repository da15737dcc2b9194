"""From bytes on the wire to a file under `MEDIA_ROOT`: streamed, hashed on the way, never half there."""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.template.defaultfilters import filesizeformat

from transcribe.errors import UploadRefused

COPY_BYTES = 1024 * 1024
NAME_LIMIT_CHARS = 255
SAFE_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Django's temporary-file handler that also hashes, and refuses what cannot fit.

    The uploaded file gets `sha256`. The temporary file lies beside the uploads, so that keeping it is a rename.
    """

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        settings.FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        space_check(content_length, "The upload")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._hash = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._hash.update(raw_data)
        with disk_errors(self.file_name or "The upload"):
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> TemporaryUploadedFile | None:
        with disk_errors(self.file_name or "The upload"):
            uploaded = super().file_complete(file_size)
        if uploaded is not None:
            uploaded.sha256 = self._hash.hexdigest()  # type: ignore[attr-defined]
        return uploaded  # type: ignore[return-value]  # the stubs name the base class


def space_check(incoming_bytes: int, name: str) -> None:
    """Refuse what is larger than the limit or the free disk, before it is written.

    Raises:
        UploadRefused: with the size, the free space and what to do.
    """
    if incoming_bytes > settings.UPLOAD_MAX_BYTES:
        raise UploadRefused(
            f"{name} is too large: {filesizeformat(incoming_bytes)}, and the limit is "
            f"{filesizeformat(settings.UPLOAD_MAX_BYTES)}. Split the recording, or raise J5A_UPLOAD_MAX_MIB.",
            cause="too large",
        )
    free_bytes = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    if incoming_bytes + settings.DISK_RESERVE_BYTES > free_bytes:
        raise UploadRefused(
            f"{name} needs {filesizeformat(incoming_bytes)}, but the disk has only {filesizeformat(free_bytes)} free "
            f"and {filesizeformat(settings.DISK_RESERVE_BYTES)} of it are kept in reserve. Free some space "
            f"(old jobs can be deleted) and upload it again.",
            cause="disk full",
        )


@contextmanager
def disk_errors(name: str) -> Iterator[None]:
    """Turn a full or failing disk into a refusal that says so."""
    try:
        yield
    except OSError as error:
        raise UploadRefused(
            f"{name} could not be stored: {error.strerror or error}. Nothing was kept; free some space or check the "
            "disk and upload it again.",
            cause="disk",
        ) from error


@contextmanager
def local_upload(path: Path) -> Iterator[TemporaryUploadedFile]:
    """A file of this machine as if it had been uploaded: copied beside the uploads and hashed on the way."""
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    size_bytes = path.stat().st_size
    space_check(size_bytes, path.name)
    uploaded = TemporaryUploadedFile(path.name, "application/octet-stream", size_bytes, None)
    try:
        with path.open("rb") as source, disk_errors(path.name):
            uploaded.sha256 = _copy_hashed(source, uploaded.file)  # type: ignore[attr-defined]
        yield uploaded
    finally:
        upload_discard(uploaded)


def upload_discard(uploaded: TemporaryUploadedFile) -> None:
    """Remove the temporary file; one that was moved away already is fine."""
    try:
        uploaded.close()
    except FileNotFoundError:
        return


def upload_keep(uploaded: TemporaryUploadedFile) -> str:
    """Move the temporary file into the storage; returns its name there. No part of the name comes from the user."""
    found = SAFE_SUFFIX.fullmatch(Path(uploaded.name or "").suffix.lower())
    name = f"{uuid.uuid4().hex}{found.group() if found else ''}"
    with disk_errors(clean_name(uploaded.name or "")):
        return default_storage.save(name, uploaded)


def clean_name(name: str) -> str:
    """The name a person gave, for showing: last path part, no control characters, at most 255 characters."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(char for char in last if char.isprintable()).strip()
    suffix = Path(shown).suffix[:20]
    return shown.removesuffix(suffix)[: NAME_LIMIT_CHARS - len(suffix)] + suffix or "unnamed"


def _copy_hashed(source: BinaryIO, target: Any) -> str:
    digest = hashlib.sha256()
    while block := source.read(COPY_BYTES):
        digest.update(block)
        target.write(block)
    target.flush()
    return digest.hexdigest()
