"""Which files are audited, in which language, and what stands in them."""

from __future__ import annotations

import io
import os
import re
import stat
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

__all__ = ["Language", "NotAudited", "SourceFile", "files_below", "read_source"]

SIZE_LIMIT_BYTES = 1024**2  # what people write by hand is a hundredth of it
_SKIPPED_FOLDERS = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__"})
_SHEBANG = re.compile(rb"#![ \t]*(?P<words>[^\r\n]+)")
_SHEBANG_BYTES = 256


class Language(Enum):
    SHELL = "shell"
    PYTHON = "Python"


_SUFFIXES = {".sh": Language.SHELL, ".bash": Language.SHELL, ".zsh": Language.SHELL, ".py": Language.PYTHON}


class NotAudited(Exception):
    """The file was passed over, with the reason as the message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    language: Language
    text: str


def files_below(paths: Sequence[Path], problems: list[str]) -> Iterator[Path]:
    """The named files, and those in the named folders that look like shell or Python; each once."""
    seen: set[str] = set()
    for path in paths:
        for file in _folder(path, problems) if _is_folder(path) else [path]:
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file


def read_source(path: Path) -> SourceFile:
    """Raises NotAudited with the cause."""
    try:
        data = _read(path)
    except OSError as error:
        raise NotAudited((error.strerror or str(error)).lower()) from error
    language = _language_of_shebang(data) or _SUFFIXES.get(path.suffix)
    if language is None:
        raise NotAudited("neither its name nor its first line says shell or Python")
    if b"\0" in data:
        raise NotAudited("it is binary")
    return SourceFile(language=language, text=_decoded(data, language).replace("\r\n", "\n"))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # reading it says why
        return False


def _folder(folder: Path, problems: list[str]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: {(error.strerror or str(error)).lower()}")

    for where, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        for path in (Path(where) / name for name in sorted(names)):
            if path.suffix in _SUFFIXES or (not path.suffix and _has_shebang(path)):
                yield path


def _has_shebang(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return _language_of_shebang(file.read(_SHEBANG_BYTES)) is not None
    except OSError:  # no name says that this is a script, and nobody named it
        return False


def _read(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NotAudited("it is no regular file")
    if status.st_size > SIZE_LIMIT_BYTES:
        raise NotAudited(f"it is larger than {SIZE_LIMIT_BYTES // 1024} KiB")
    return path.read_bytes()


def _language_of_shebang(data: bytes) -> Language | None:
    found = _SHEBANG.match(data[:_SHEBANG_BYTES].removeprefix(b"\xef\xbb\xbf"))
    if found is None:
        return None
    words = found["words"].decode("utf-8", "replace").split() or [""]
    if words[0].endswith("/env"):  # env -S A=1 bash -e
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word] or [""]
    name = words[0].rpartition("/")[2]
    if name in ("sh", "bash", "zsh", "dash"):
        return Language.SHELL
    return Language.PYTHON if re.fullmatch(r"python[\d.]*", name) else None


def _decoded(data: bytes, language: Language) -> str:
    if language is Language.PYTHON:
        return _decoded_python(data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # shells take bytes as they come


def _decoded_python(data: bytes) -> str:
    """As Python itself would read it: UTF-8, or what the first lines declare."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise NotAudited(f"this is not Python that can be read ({error})") from error
