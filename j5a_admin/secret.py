"""Secrets live in files under the data directory, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SECRET_FILE_MODE = 0o600
PRIVATE_DIR_MODE = 0o700


def private_directory(path: Path, *, setting: str = "J5A_DATA_DIR") -> Path:
    """Create `path`, and what is missing above it, for its owner only; an existing directory keeps its mode.

    Raises:
        ImproperlyConfigured: it cannot be made; the message names the environment variable `setting`.
    """
    with faults_told(path, setting):
        for folder in reversed([path, *path.parents]):
            if not folder.is_dir():
                folder.mkdir(mode=PRIVATE_DIR_MODE, exist_ok=True)
    return path


def secret_read_or_create(path: Path, *, nbytes: int = 50) -> str:
    """The secret in `path`; made there with mode 0600 when missing.

    Two processes that start together agree: the file is linked into place whole, and the first one wins.

    Raises:
        ImproperlyConfigured: it can be neither read nor made.
    """
    private_directory(path.parent)
    with faults_told(path, "J5A_DATA_DIR"):
        return _read_or_create(path, nbytes)


def _read_or_create(path: Path, nbytes: int) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    secret_write(temporary, secrets.token_urlsafe(nbytes))
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text(encoding="ascii").strip()


@contextmanager
def faults_told(path: Path, setting: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be used: {error.strerror}. {setting} must name a folder that the panel may write to."
        ) from error


def secret_write(path: Path, text: str) -> None:
    """Write `text` to a new file that never existed with a wider mode than 0600."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, SECRET_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), SECRET_FILE_MODE)
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
