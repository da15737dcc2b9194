"""From bytes on the wire to a file under `MEDIA_ROOT`: streamed, hashed on the way, never half there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from transcribe.audio.errors import shown_name
from transcribe.errors import UploadRefused
from transcribe.names import clean_name
from transcribe.upload_room import room_give, room_take, room_written

COPY_BYTES = 1024 * 1024
JUST_BEGUN_SECONDS = 10.0  # between making a temporary file and locking it lie microseconds
# How browsers send these in a name (WHATWG HTML, multipart/form-data encoding).
SENT_IN_NAMES = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))
SAFE_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


class HashedUpload(TemporaryUploadedFile):
    """A temporary file beside the uploads, so that keeping it is a rename, and the SHA-256 of what is in it."""

    def __init__(
        self,
        name: str,
        content_type: str | None,
        size: int,
        charset: str | None,
        content_type_extra: dict[str, Any] | None = None,
    ) -> None:
        # Django makes the ending of the name a part of the path; one of 250 characters could not be stored.
        super().__init__("upload", content_type, size, charset, content_type_extra)
        assert self.file is not None  # noqa: S101 - Django has just made it
        fcntl.flock(self.file.fileno(), fcntl.LOCK_SH)  # for as long as it is open: `uploads_sweep` leaves it alone
        self.name = name
        self.sha256 = ""

    def close(self) -> None:
        """Remove the file. Never raises: on a full disk the rest in the buffer goes with it."""
        with suppress(OSError):
            super().close()


class _NamingParser(MultiPartParser):
    """Django's drops what is not printable from a name: the joiners of Persian and emoji, and all spaces but one."""

    def sanitize_file_name(self, file_name: str) -> str | None:
        for written, meant in SENT_IN_NAMES:
            file_name = file_name.replace(written, meant)
        name = clean_name(file_name)
        return None if name in {".", ".."} else name


class FilesIgnored(FileUploadHandler):
    """Every address but the upload's: Django reads a form before it knows who sent it, so no file touches the disk."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        if content_length > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            raise RequestDataTooBig("Only the upload form takes so much at once.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Django's temporary-file handler that also hashes, and refuses what cannot fit."""

    file: HashedUpload
    _is_read_by_us = False

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._files: list[HashedUpload] = []

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: str, encoding: str | None = None
    ) -> Any:
        """Read the form with a parser that leaves the names of files as they are: Django asks for that once."""
        if self._is_read_by_us:
            return None
        self._is_read_by_us = True
        settings.FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._incoming_bytes = content_length  # of the whole form, looked at when the first file has told its name
        return _NamingParser(META, input_data, [self], encoding).parse()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        name = self.file_name or ""
        self._shown_name = shown_name(clean_name(name))
        if not self._files:
            room_take(self, self._incoming_bytes, self._shown_name)
        with disk_errors(self._shown_name):
            self.file = HashedUpload(name, self.content_type, 0, self.charset, self.content_type_extra)
        self._files.append(self.file)
        self._hash = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._hash.update(raw_data)
        with self._kept_whole_or_not():
            self.file.write(raw_data)
            room_written(self, len(raw_data), self._shown_name)

    def file_complete(self, file_size: int) -> HashedUpload:
        with self._kept_whole_or_not():
            super().file_complete(file_size)
        self.file.sha256 = self._hash.hexdigest()
        return self.file

    def upload_complete(self) -> None:
        room_give(self)

    @contextmanager
    def _kept_whole_or_not(self) -> Iterator[None]:
        try:
            with disk_errors(self._shown_name):
                yield
        except UploadRefused:
            self.end()
            raise

    def end(self) -> None:
        """Remove what was not kept, also of an upload that broke off. Django closes only files that came whole."""
        room_give(self)
        for file in self._files:
            file.close()


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
def local_upload(path: Path) -> Iterator[HashedUpload]:
    """A file of this machine as if it had been uploaded: copied beside the uploads and hashed on the way.

    Raises:
        UploadRefused: it is no plain file, or cannot be stored.
        OSError: it is not there or may not be read.
    """
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    name = shown_name(clean_name(path.name))
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for, a device would fill the disk
        raise UploadRefused(
            f"{name} is not a file but a folder, pipe or device. Give the path of a recording.",
            cause="not a file",
        )
    with disk_errors(name):
        uploaded = HashedUpload(path.name, "application/octet-stream", found.st_size, None)
    try:
        room_take(path, found.st_size, name)
        with path.open("rb") as source, disk_errors(name):
            uploaded.sha256 = _copy_hashed(source, uploaded.file, path, name)
        yield uploaded
    finally:
        room_give(path)
        upload_discard(uploaded)


def upload_discard(uploaded: TemporaryUploadedFile) -> None:
    """Remove the temporary file; one that was moved away already is fine."""
    uploaded.close()


def uploads_sweep() -> None:
    """Remove what uploads left behind whose process was killed. One that is on its way in is locked, and stays."""
    for path in settings.FILE_UPLOAD_TEMP_DIR.glob("*.upload*"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            begun_now = time.time() - os.fstat(file.fileno()).st_mtime < JUST_BEGUN_SECONDS
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not begun_now:
                path.unlink()


def upload_keep(uploaded: TemporaryUploadedFile) -> str:
    """Move the temporary file into the storage; returns its name there. No part of the name comes from the user."""
    found = SAFE_SUFFIX.fullmatch(Path(uploaded.name or "").suffix.lower())
    name = f"{uuid.uuid4().hex}{found.group() if found else ''}"
    with disk_errors(shown_name(clean_name(uploaded.name or ""))):
        return default_storage.save(name, uploaded)


def _copy_hashed(source: BinaryIO, target: Any, upload: Path, name: str) -> str:
    digest = hashlib.sha256()
    while block := source.read(COPY_BYTES):
        digest.update(block)
        target.write(block)
        room_written(upload, len(block), name)
    target.flush()
    return digest.hexdigest()
