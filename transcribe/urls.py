"""Addresses of the transcription pages."""

from __future__ import annotations

from django.urls import path

from transcribe.views import audio, download, jobs, logs, queue, upload

urlpatterns = [
    path("", jobs.job_list, name="job-list"),
    path("live/", jobs.job_list_live, name="job-list-live"),
    path("upload/", upload.job_upload, name="job-upload"),
    path("<int:job_id>/", jobs.job_page, name="job"),
    path("<int:job_id>/live/", jobs.job_live, name="job-live"),
    path("<int:job_id>/audio/", audio.job_audio, name="job-audio"),
    path("<int:job_id>/transcript.<slug:format>", download.job_transcript, name="job-transcript"),
    path("<int:job_id>/log/", logs.job_log, name="job-log"),
    path("<int:job_id>/log/<int:attempt>.txt", logs.job_log_text, name="job-log-text"),
    path("<int:job_id>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("<int:job_id>/retry/", jobs.job_retry, name="job-retry"),
    path("<int:job_id>/delete/", jobs.job_delete, name="job-delete"),
    path("<int:job_id>/hold/", queue.job_hold, name="job-hold"),
    path("<int:job_id>/release/", queue.job_release, name="job-release"),
    path("<int:job_id>/now/", queue.job_run_now, name="job-run-now"),
    path("<int:job_id>/place/", queue.job_place, name="job-place"),
    path("<int:job_id>/priority/", queue.job_priority, name="job-priority"),
    path("<int:job_id>/chunks/<int:index>/again/", queue.chunk_retry, name="chunk-retry"),
    path("queue/", queue.queue_page, name="queue"),
    path("queue/live/", queue.queue_live, name="queue-live"),
    path("queue/pause/", queue.queue_pause, name="queue-pause"),
    path("queue/resume/", queue.queue_resume, name="queue-resume"),
]
