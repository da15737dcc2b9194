"""What pages read: frozen values, no changes."""

from __future__ import annotations

from transcribe.selectors.detail import JobDetail, job_detail
from transcribe.selectors.jobs import (
    JobRow,
    QueueEntry,
    StatusCount,
    held_jobs,
    job_row,
    job_rows,
    jobs_held,
    jobs_recent,
    jobs_with,
    queue_changes,
    queue_entries,
    running_job,
    status_counts,
    waiting_jobs,
)
from transcribe.selectors.report import Lost, NightReport, night_report
from transcribe.selectors.text import ShownText, shown_text

__all__ = [
    "JobDetail",
    "JobRow",
    "Lost",
    "NightReport",
    "QueueEntry",
    "ShownText",
    "StatusCount",
    "held_jobs",
    "job_detail",
    "job_row",
    "job_rows",
    "jobs_held",
    "jobs_recent",
    "jobs_with",
    "night_report",
    "queue_changes",
    "queue_entries",
    "running_job",
    "shown_text",
    "status_counts",
    "waiting_jobs",
]
