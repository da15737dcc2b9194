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
    jobs_recent,
    jobs_with,
    queue_changes,
    queue_entries,
    running_job,
    status_counts,
    waiting_jobs,
)
from transcribe.selectors.report import Lost, NightReport, night_report

__all__ = [
    "JobDetail",
    "JobRow",
    "Lost",
    "NightReport",
    "QueueEntry",
    "StatusCount",
    "held_jobs",
    "job_detail",
    "job_row",
    "job_rows",
    "jobs_recent",
    "jobs_with",
    "night_report",
    "queue_changes",
    "queue_entries",
    "running_job",
    "status_counts",
    "waiting_jobs",
]
