"""What a checkpoint will take once it is loaded, by what it declares: read from its archive, nothing of it is run.

A small file can declare large tensors (strides of 0, a compressed archive), and the engine builds the model by `dims`.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PICKLE_LIMIT_BYTES = 16 * 1024**2  # it names the tensors, which lie beside it; large-v3's has less than 1 MB
MOST_MEMOS = 1_000_000  # where a pickle keeps a value; the reader makes room for all up to that number
MOST_DIMENSIONS = 8  # a convolution has 3
MOST = 1 << 48  # more than any machine holds; a number of a forged file may have a million digits
DIMS = ("n_mels", "n_audio_ctx", "n_audio_state", "n_audio_layer", "n_vocab", "n_text_ctx", "n_text_state")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """`file_bytes`: unpacked. `parameters`: numbers in all tensors, or in the model of its dims, the larger."""

    file_bytes: int
    parameters: int = 0


def checkpoint_declared(path: Path) -> Declared:
    """Of a file that is no such archive only the size is known. Raises OSError."""
    facts = path.stat()
    return _declared(path, facts.st_size, facts.st_mtime_ns, facts.st_ino)


@lru_cache(maxsize=64)
def _declared(path: Path, file_bytes: int, *_stamp: int) -> Declared:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            pickles = [e for e in entries if e.filename.endswith("/data.pkl") and e.file_size <= PICKLE_LIMIT_BYTES]
            parameters = max((_parameters(archive, entry) for entry in pickles), default=0)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError):  # encrypted ones are a RuntimeError
        return Declared(file_bytes=file_bytes)
    unpacked_bytes = sum(entry.file_size for entry in entries)
    return Declared(file_bytes=max(file_bytes, unpacked_bytes), parameters=parameters)


def _parameters(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    content = archive.read(entry)
    reader = _Reader(io.BytesIO(content))
    try:
        _require_few_memos(content)
        found = reader.load()
    except Exception:  # a pickle can fail in any way; what was read until then counts
        found = None
    dims = found.get("dims") if isinstance(found, dict) else None
    return min(max(sum(reader.sizes), _dims_parameters(dims)), MOST)


def _require_few_memos(content: bytes) -> None:
    """Raises ValueError for a pickle that asks for gigabytes with a number."""
    import pickletools  # large, and most processes never look into a checkpoint

    for code, argument, _ in pickletools.genops(content):
        if code.name in {"PUT", "BINPUT", "LONG_BINPUT"} and int(argument or 0) > MOST_MEMOS:
            raise ValueError(argument)


def _dims_parameters(dims: Any) -> int:
    """Of the model that whisper/model.py builds: matrices only, they are all but a thousandth of it."""
    if not isinstance(dims, dict) or not all(isinstance(dims.get(name), int) and dims[name] >= 0 for name in DIMS):
        return 0
    if max(dims[name] for name in DIMS) > MOST:
        return MOST
    audio, text = dims["n_audio_state"], dims["n_text_state"]
    heard = audio * (3 * dims["n_mels"] + 3 * audio + dims["n_audio_ctx"]) + 12 * audio**2 * dims["n_audio_layer"]
    layers = dims.get("n_text_layer")
    layers = min(layers, MOST) if isinstance(layers, int) else 0
    written = text * (dims["n_vocab"] + dims["n_text_ctx"]) + dims["n_text_ctx"] ** 2
    return int(heard + written + 16 * text**2 * layers)


class _Inert:
    """Stands for everything that the pickle names: takes all, does nothing."""

    def __new__(cls, *_: object, **__: object) -> _Inert:
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None: ...
    def __setitem__(self, _: object, __: object) -> None: ...
    def append(self, _: object) -> None: ...
    def extend(self, _: object) -> None: ...


class _Reader(pickle.Unpickler):
    """No name of the pickle is imported: tensors are counted, dicts are dicts, all else is inert."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.sizes: list[int] = []

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        return self._tensor if module == "torch._utils" and name.startswith("_rebuild") else _Inert

    def persistent_load(self, _: Any) -> Any:
        return _Inert()

    def _tensor(self, *words: Any) -> _Inert:
        """`_rebuild_tensor_v2(storage, offset, size, stride, …)`: the first tuple of numbers is the size."""
        size = next((word for word in words if isinstance(word, tuple)), ())
        if len(size) > MOST_DIMENSIONS or any(isinstance(number, int) and number > MOST for number in size):
            self.sizes.append(MOST)
        elif all(isinstance(number, int) and number >= 0 for number in size):
            self.sizes.append(math.prod(size) if isinstance(words[0], _Inert) and len(words) > 3 else 0)
        return _Inert()
