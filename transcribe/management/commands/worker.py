"""`manage.py worker`: the single-worker django-q2 cluster."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from gate.core.patient import patient_stdout
from transcribe.cluster import cluster_lock, cluster_run


class Command(BaseCommand):
    help = "Run the queue: one gated transcription at a time."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def handle(self, *args: Any, **options: Any) -> None:
        cluster_lock(settings.DATA_DIR / "worker.lock", on_wait=self._say_waiting)
        patient_stdout.write("worker: ready\n")
        cluster_run()

    def _say_waiting(self) -> None:
        patient_stdout.write("worker: another cluster runs on this data directory; waiting until it is gone\n")
