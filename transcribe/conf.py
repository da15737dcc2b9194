"""Where the files of a job lie, from the settings."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from django.conf import settings

JOURNAL_SUFFIX = ".journal"


def work_dir(job_id: int) -> Path:
    """The directory for a job's decoded audio and its journals; removed when the job ends."""
    return Path(settings.WORK_DIR) / f"job-{job_id}"


def work_remove(job_id: int, *, keep_journals: bool = False) -> None:
    """Remove a job's decoded audio and, unless somebody may try the job again, its journals; nothing there is fine."""
    directory = work_dir(job_id)
    if not keep_journals:
        shutil.rmtree(directory, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if path.suffix != JOURNAL_SUFFIX:
                path.unlink()
        directory.rmdir()  # fails while a journal is there


def journal_path(job_id: int, chunk_index: int) -> Path:
    """Where the engine keeps the windows of a chunk that is not finished."""
    return work_dir(job_id) / f"chunk-{chunk_index}{JOURNAL_SUFFIX}"


def journal_remove(job_id: int, chunk_index: int) -> None:
    """Once the chunk is a checkpoint. One that stays does no harm: it goes with the directory."""
    with contextlib.suppress(OSError):
        journal_path(job_id, chunk_index).unlink()


def log_dir() -> Path:
    path = Path(settings.LOG_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
