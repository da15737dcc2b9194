"""Checkpoint files in OpenAI's format, looked at without torch."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from transcribe.declared import PICKLE_LIMIT_BYTES
from transcribe.errors import ModelUnknown
from transcribe.file_hashes import file_sha256_cached

CHECKPOINT_KEYS = {"dims", "model_state_dict"}  # whisper/__init__.py, load_model

DIMENSION_NAMES = ("n_vocab", "n_audio_layer", "n_text_layer")  # whisper/model.py, ModelDimensions
NUMBER_OPCODES = frozenset({"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1"})


@dataclass(frozen=True)
class Dimensions:
    """How many tokens a model knows, and the layers of its two halves."""

    tokens: int
    encoder_layers: int
    decoder_layers: int


def checkpoint_check(path: str) -> tuple[Path, str]:
    """The file behind `path` and its SHA-256.

    Raises:
        ModelUnknown: the path is not an absolute path to a readable checkpoint of torch.
    """
    file = Path(path)
    try:
        if not file.is_absolute() or not file.is_file():
            raise ModelUnknown(f"{path} is not a file on this machine: give the absolute path of a checkpoint (.pt).")
        if not _is_whisper_checkpoint(file):
            raise ModelUnknown(f"{path} is not a checkpoint written by torch (a .pt file in OpenAI's format).")
        return file.resolve(), file_sha256_cached(file)
    except OSError as error:
        raise ModelUnknown(f"{path} cannot be read by the panel: {error.strerror}. Check its permissions.") from error


def _is_whisper_checkpoint(file: Path) -> bool:
    """Look for the two names in the archive's pickle, which is scanned and never run: loading it would need torch."""
    try:
        with zipfile.ZipFile(file) as archive:  # the format of torch.save since 1.6
            pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if not pickles or archive.getinfo(pickles[0]).file_size > PICKLE_LIMIT_BYTES:
                return False
            return _strings_of(archive.read(pickles[0])) >= CHECKPOINT_KEYS
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError):  # encrypted ones are a RuntimeError
        return False


def checkpoint_dimensions(file: Path) -> Dimensions | None:
    """What the checkpoint says of itself; None where that cannot be found without running its pickle."""
    try:
        with zipfile.ZipFile(file) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if archive.getinfo(name).file_size > PICKLE_LIMIT_BYTES:
                return None
            said = _numbers_of(archive.read(name))
            return Dimensions(*(said[name] for name in DIMENSION_NAMES))
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, KeyError):
        return None


def _numbers_of(pickled: bytes) -> dict[str, int]:
    """Each text of the pickle that a whole number follows at once, with that number."""
    import pickletools

    numbers: dict[str, int] = {}
    name = ""
    for opcode, value, _ in pickletools.genops(pickled):
        if isinstance(value, str):
            name = value
        elif opcode.name in NUMBER_OPCODES and isinstance(value, int):
            numbers.setdefault(name, value)
    return numbers


def _strings_of(pickled: bytes) -> set[object]:
    import pickletools  # large, and most processes never look into a checkpoint

    return {value for _, value, _ in pickletools.genops(pickled) if isinstance(value, str)}
