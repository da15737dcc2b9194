"""What a model needs in memory before it may start, and where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass

from gate.core.errors import UnknownModelError
from gate.core.policy import GatePolicy
from gate.core.units import GIB, bytes_text

__all__ = [
    "MODEL_NAMES",
    "SIZES",
    "Requirement",
    "largest_fitting",
    "requirement_for_checkpoint",
    "requirement_for_model",
]

_README = "OpenAI's README, table of models, required VRAM"
_PROTOCOL = "the protocol: large-v3 requires 10 GiB"
# Measured here: `whisper.load_model` of a 1.5 GB medium-shape checkpoint peaks at 4.78 GB.
_MEDIUM = f"{_README} (5 GB); measured: a medium-shape checkpoint peaks at 4.78 GB while loading"


@dataclass(frozen=True)
class Requirement:
    """Memory in bytes a model needs at its peak. `source` says where the figure comes from."""

    model: str
    bytes: int
    source: str

    def less_resident(self, resident_bytes: int) -> Requirement:
        """What is still missing when our own engine already holds `resident_bytes` of it; never below 0."""
        held_bytes = max(0, resident_bytes)
        remaining = max(0, self.bytes - held_bytes)
        source = f"{self.source}; less {bytes_text(held_bytes)} that the running engine already holds"
        return Requirement(self.model, remaining, source)

    def beside_measured(self, peak_bytes: int, runs: int) -> Requirement:
        """With the largest peak of real runs on this machine told; it raises the figure, and never lowers it."""
        told = f"largest of {runs} {'run' if runs == 1 else 'runs'} here: {bytes_text(peak_bytes)}"
        counts = ", which counts" if peak_bytes > self.bytes else ""
        return Requirement(self.model, max(self.bytes, peak_bytes), f"{self.source}; {told}{counts}")


_GIB_BY_MODEL: dict[str, tuple[int, str]] = {
    "tiny.en": (1, _README),
    "tiny": (1, _README),
    "base.en": (1, _README),
    "base": (1, _README),
    "small.en": (2, _README),
    "small": (2, _README),
    "medium.en": (5, _MEDIUM),
    "medium": (5, _MEDIUM),
    "large-v1": (10, _PROTOCOL),
    "large-v2": (10, _PROTOCOL),
    "large-v3": (10, _PROTOCOL),
    "large": (10, _PROTOCOL),
    "large-v3-turbo": (6, _README),
    "turbo": (6, _README),
}
MODEL_NAMES = tuple(_GIB_BY_MODEL)

# One name of each size, rising, for "the largest model that fits".
SIZES = ("tiny", "base", "small", "medium", "turbo", "large-v3")

# A checkpoint of half floats is read whole (1 × file) while the model is built in single precision
# (2 × file): 4.78 GB peak / 1.5 GB file = 3.2, measured. torch and whisper themselves take about 0.4 GiB.
_PEAK_PER_FILE_BYTE = 3.2
_RUNTIME_BYTES = GIB // 2
# No run of torch and whisper was seen below this, however small the checkpoint.
_FLOOR_BYTES = 1 * GIB


def requirement_for_model(name: str) -> Requirement:
    """Raise UnknownModelError for a name that openai-whisper does not know."""
    if name not in _GIB_BY_MODEL:
        raise UnknownModelError(name, MODEL_NAMES)
    size_gib, source = _GIB_BY_MODEL[name]
    return Requirement(name, size_gib * GIB, source)


def requirement_for_checkpoint(name: str, file_bytes: int, parameters: int = 0) -> Requirement:
    """A registered checkpoint file of our own, judged by its size, or by the numbers it declares where that is more."""
    model_bytes = 2 * max(0, parameters)  # as the half floats for which the factor was measured
    if model_bytes > file_bytes:
        peak_bytes = _RUNTIME_BYTES + int(_PEAK_PER_FILE_BYTE * model_bytes)
        source = (
            f"{bytes_text(model_bytes)} that it declares × {_PEAK_PER_FILE_BYTE} + 0.5 GiB for torch, at least 1 GiB"
        )
        return Requirement(name, max(_FLOOR_BYTES, peak_bytes), source)
    peak_bytes = _RUNTIME_BYTES + int(_PEAK_PER_FILE_BYTE * max(0, file_bytes))
    source = f"{bytes_text(file_bytes)} file × {_PEAK_PER_FILE_BYTE} + 0.5 GiB for torch, at least 1 GiB"
    return Requirement(name, max(_FLOOR_BYTES, peak_bytes), source)


def largest_fitting(total_bytes: int, policy: GatePolicy) -> Requirement | None:
    """The largest openai-whisper model that could ever start with this much memory in all."""
    room_bytes = total_bytes - policy.margin_bytes
    fitting = [r for r in map(requirement_for_model, SIZES) if r.bytes <= room_bytes]
    return fitting[-1] if fitting else None
