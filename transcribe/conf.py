"""Where the files of a job lie, from the settings."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings


def work_dir(job_id: int) -> Path:
    """The directory for a job's decoded audio; removed when the job ends."""
    return Path(settings.WORK_DIR) / f"job-{job_id}"


def work_remove(job_id: int) -> None:
    """Remove a job's decoded audio; nothing there is fine."""
    shutil.rmtree(work_dir(job_id), ignore_errors=True)


def log_dir() -> Path:
    path = Path(settings.LOG_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
