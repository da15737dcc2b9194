"""The gate asks for what a checkpoint declares, however small its file is."""

from __future__ import annotations

import pickle
import resource
import time
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

from gate.core.units import GIB
from transcribe.declared import checkpoint_declared
from transcribe.resolve import DEMO_PATH, FILE, model_requirement

pytestmark = pytest.mark.django_db

DIMS = {
    "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 384, "n_audio_head": 6, "n_audio_layer": 4,
    "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 384, "n_text_head": 6, "n_text_layer": 4,
}  # fmt: skip
TINY_PARAMETERS = 37_184_640  # OpenAI's README: 39 M


def checkpoint(path: Path, value: Any, *, fill_bytes: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", value if isinstance(value, bytes) else pickle.dumps(value, protocol=2))
        archive.writestr("archive/data/0", bytes(fill_bytes))
    return path


def test_it_counts_tensors_that_repeat_one_number(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "bomb.pt"
    weights = OrderedDict(encoder=torch.zeros(1).expand(GIB // 4, 4)[: 1 << 28])
    torch.save({"dims": DIMS, "model_state_dict": weights}, path)
    assert path.stat().st_size < 100_000
    assert model_requirement(f"{FILE}{path}").bytes > 4 * GIB


def test_it_counts_the_model_that_its_dims_build(tmp_path: Path) -> None:
    huge = {**DIMS, "n_audio_state": 8192, "n_text_state": 8192}
    path = checkpoint(tmp_path / "dims.pt", {"dims": huge, "model_state_dict": {}})
    assert model_requirement(f"{FILE}{path}").bytes > 20 * GIB


@pytest.mark.parametrize("name", ["n_audio_state", "n_text_layer", "n_vocab"])
def test_it_counts_a_number_without_end(tmp_path: Path, name: str) -> None:
    path = checkpoint(tmp_path / "dims.pt", {"dims": {**DIMS, name: 10**5000}, "model_state_dict": {}})
    assert model_requirement(f"{FILE}{path}").bytes > 1000 * GIB


def test_a_size_of_thousands_of_dimensions_takes_no_time(tmp_path: Path) -> None:
    """Multiplied out, 50 000 numbers from 249 bytes took six seconds, and twice as many four times as long."""
    numbers = b"(" + b"\x8a\x06\xff\xff\xff\xff\xff\x00" + b"2" * 100_000 + b"t"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
    forged = b"\x80\x02" + rebuild + b"(U\x01sQK\x00" + numbers + b"))tR."
    path = checkpoint(tmp_path / "dims.pt", forged)
    begun = time.monotonic()
    assert model_requirement(f"{FILE}{path}").bytes > 1000 * GIB
    assert time.monotonic() - begun < 5


def test_a_value_kept_under_a_huge_number_takes_no_memory(tmp_path: Path) -> None:
    forged = b"\x80\x02}r\x80\x96\x98\x00."  # LONG_BINPUT 10 000 000
    path = checkpoint(tmp_path / "memo.pt", forged)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    checkpoint_declared(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024  # KiB


def test_it_counts_a_packed_archive_unpacked(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "packed.pt", {"dims": DIMS, "model_state_dict": {}}, fill_bytes=300_000_000)
    assert path.stat().st_size < 1_000_000
    assert checkpoint_declared(path).file_bytes > 300_000_000


def test_it_knows_a_model_of_openai_by_its_dims(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "tiny.pt", {"dims": DIMS, "model_state_dict": {}})
    assert checkpoint_declared(path).parameters == pytest.approx(TINY_PARAMETERS, rel=0.02)
    assert model_requirement(f"{FILE}{path}").bytes == GIB


def test_it_asks_no_more_for_the_demo() -> None:
    assert checkpoint_declared(DEMO_PATH).parameters > 0
    assert model_requirement("demo").bytes == GIB


def test_it_runs_nothing_of_the_pickle(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    order = b"cos\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR."
    assert checkpoint_declared(checkpoint(tmp_path / "evil.pt", order)).parameters == 0
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"\x80", b"(((((", b"garbage", b"\x80\x02}q\x00."])
def test_it_keeps_to_the_size_of_what_it_cannot_read(tmp_path: Path, content: bytes) -> None:
    assert checkpoint_declared(checkpoint(tmp_path / "odd.pt", content)).parameters == 0
    (tmp_path / "plain").write_bytes(content)
    assert checkpoint_declared(tmp_path / "plain").file_bytes == len(content)
