"""Free disk: for the weights that may still be fetched, and for uploads."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from gate.conf import gate_policy
from gate.core.requirement import SIZES, requirement_for_model
from gate.core.units import bytes_text
from j5a_admin.doctor.findings import Finding, failed, passed, warned
from transcribe.resolve import model_is_here
from transcribe.weights import SPARE_DISK_BYTES

__all__ = [
    "judge_models_disk",
    "judge_uploads_disk",
    "largest_missing",
    "models_disk_findings",
    "uploads_disk_findings",
    "weights_bytes",
]

# OpenAI's README, table of models: millions of parameters. The published files hold half floats, two bytes each.
_PARAMETERS_MILLION = {"tiny": 39, "base": 74, "small": 244, "medium": 769, "turbo": 809, "large-v3": 1550}
_BYTES_PER_PARAMETER = 2


def models_disk_findings(total_memory_bytes: int | None) -> tuple[Finding, ...]:
    folder = Path(settings.MODELS_DIR)
    room_bytes = None if total_memory_bytes is None else total_memory_bytes - gate_policy().margin_bytes
    missing = largest_missing(room_bytes, frozenset(name for name in SIZES if model_is_here(name)))
    return (judge_models_disk(folder, _free_bytes(folder), missing),)


def uploads_disk_findings() -> tuple[Finding, ...]:
    folder = Path(settings.MEDIA_ROOT)
    reserve_bytes, largest_bytes = settings.DISK_RESERVE_BYTES, settings.UPLOAD_MAX_BYTES
    finding = judge_uploads_disk(folder, _free_bytes(folder), reserve_bytes=reserve_bytes, largest_bytes=largest_bytes)
    return (finding,)


def weights_bytes(model: str) -> int:
    return _PARAMETERS_MILLION[model] * 1_000_000 * _BYTES_PER_PARAMETER


def largest_missing(room_bytes: int | None, here: frozenset[str]) -> str | None:
    """The largest model whose weights are not here and that this much memory admits; None: nothing to fetch."""
    fitting = [name for name in SIZES if room_bytes is None or requirement_for_model(name).bytes <= room_bytes]
    return max((name for name in fitting if name not in here), key=weights_bytes, default=None)


def judge_models_disk(folder: Path, free_bytes: int, missing: str | None) -> Finding:
    subject = "disk for models"
    free = f"{bytes_text(free_bytes)} are free at {folder}"
    if missing is None:
        return passed(subject, f"The weights of every size that can start here are fetched; {free}.")
    file_bytes = weights_bytes(missing)
    needed_bytes = file_bytes + SPARE_DISK_BYTES
    if free_bytes >= needed_bytes:
        return passed(subject, f"There is room for the weights of {missing} ({bytes_text(file_bytes)}): {free}.")
    return warned(
        subject,
        f"There is no room to fetch {missing}, the largest that can start here and is not fetched yet: {free}, "
        f"{bytes_text(needed_bytes)} are needed.",
        f"Free {bytes_text(needed_bytes - free_bytes)}, or put J5A_MODELS_DIR on another disk.",
    )


def judge_uploads_disk(folder: Path, free_bytes: int, *, reserve_bytes: int, largest_bytes: int) -> Finding:
    """The rule of the upload itself: what comes must leave the reserve free."""
    subject = "disk for uploads"
    room_bytes = free_bytes - reserve_bytes
    free = f"{bytes_text(free_bytes)} are free at {folder}, and {bytes_text(reserve_bytes)} are kept in reserve"
    if room_bytes <= 0:
        return failed(subject, f"Every upload is refused: {free}.", "Free some space, or delete old jobs.")
    if room_bytes < largest_bytes:
        return warned(
            subject,
            f"Uploads of up to {bytes_text(room_bytes)} fit, and {bytes_text(largest_bytes)} are allowed: {free}.",
            f"Free {bytes_text(largest_bytes - room_bytes)}, or lower J5A_UPLOAD_MAX_MIB.",
        )
    return passed(subject, f"The largest upload that is allowed ({bytes_text(largest_bytes)}) fits: {free}.")


def _free_bytes(folder: Path) -> int:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free
