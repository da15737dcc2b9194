"""Rows for tests that need a job but no file."""

from __future__ import annotations

from typing import Any

from transcribe.models import Job


def make_job(**values: Any) -> Job:
    facts: dict[str, Any] = {
        "title": "Talk",
        "original_name": "talk.wav",
        "audio_sha256": "a" * 64,
        "audio_bytes": 1000,
        "duration_seconds": 1200.0,
        "model": "demo",
        "owner": "worker",
    }
    return Job.objects.create(**{**facts, **values})
